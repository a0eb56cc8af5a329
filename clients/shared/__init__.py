"""What every relying party here shares: settings, log-in, sessions, and the frame of its pages."""
