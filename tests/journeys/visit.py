"""What a family does in a window, click by click, in the words of the pages: in English, and in Spanish."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from playwright.sync_api import Locator, Page, expect

from tests.factories import Person
from tests.journeys.district import District, LogIn
from tests.journeys.post import Office
from tests.windows import PHONE, taken


@dataclass(frozen=True)
class Tongue:
    """A language: what the pages say for what they say in English."""

    code: str
    locale: str
    words: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, english: str) -> str:
        """Return the words of this language."""
        return english if self.code == "en" else self.words[english]


ENGLISH = Tongue("en", "en-US")
SPANISH = Tongue(
    "es",
    "es-MX",
    {
        "Log In": "Iniciar sesión",
        "Log in": "Iniciar sesión",
        "Logged in as": "Sesión iniciada como",
        "Username": "Nombre de usuario",
        "Password": "Contraseña",
        "New Password": "Contraseña nueva",
        "Current Password": "Contraseña actual",
        "Save": "Guardar",
        "Profile": "Perfil",
        "Settings": "Configuración",
        "Account Settings": "Configuración de la cuenta",
        "Email Address": "Correo electrónico",
        "Your Security Email": "Su correo electrónico de seguridad",
        "Your Security Email Is Verified": "Su correo electrónico de seguridad está verificado",
        "Verify Your Security Email": "Verifique su correo electrónico de seguridad",
        "This does not change your password.": "Esto no cambia su contraseña.",
        "This is not your current password.": "Esta no es su contraseña actual.",
        "Entering an address is not enough.": "No basta con escribir un correo electrónico.",
        "Code": "Código",
        "Verify": "Verificar",
        "Verified": "Verificado",
        "Not verified": "No verificado",
        "Continue": "Continuar",
        "Add Security email": "Agregar Correo de seguridad",
        "Update Security email": "Actualizar Correo de seguridad",
        "Resend Verification Email": "Reenviar correo de verificación",
        "Spam or Junk folder": "correo no deseado (Spam)",
        "Forgot Password?": "¿Olvidó su contraseña?",
        "Forgot Username?": "¿Olvidó su nombre de usuario?",
        "Username or security email": "Nombre de usuario o correo de seguridad",
        "Security email": "Correo de seguridad",
        "Send Email": "Enviar correo",
        "Check Your Email": "Revise su correo",
        "Change my username": "Cambiar mi nombre de usuario",
        "I do not have an account": "No tengo una cuenta",
        "What do you need help with?": "¿Con qué necesita ayuda?",
        "Your name": "Su nombre",
        "Who are you to the student?": "¿Quién es usted para el estudiante?",
        "Parent": "Padre o madre",
        "The student’s name": "Nombre del estudiante",
        "The student’s school": "Escuela del estudiante",
        "Email": "Correo electrónico",
        "Your question, in a few words": "Su pregunta, en pocas palabras",
        "Send": "Enviar",
        "We have your request": "Recibimos su solicitud",
        "Number of your request": "Número de su solicitud",
        "Your email address or phone number": "Su correo electrónico o número de teléfono",
        "Show": "Mostrar",
        "We have it, and will contact you.": "La tenemos, y nos comunicaremos con usted.",
        "I have no account": "No tengo una cuenta",
        "Tell us in a few words what you need.": "Díganos en pocas palabras qué necesita.",
        "Temporary password:": "Contraseña temporal:",
        # The subjects of mails.
        "Your username and temporary password": "Su nombre de usuario y su contraseña temporal",
        "Verify your security email": "Verifique su correo electrónico de seguridad",
        "Your security email is about to change": "Su correo electrónico de seguridad está por cambiar",
        "Choose a new password": "Elija una contraseña nueva",
        "Your username": "Su nombre de usuario",
        "Your request for support: number": "Su solicitud de ayuda: número",
        "Your username was changed": "Su nombre de usuario cambió",
    },
)


@dataclass(frozen=True)
class Visit:
    """Somebody at a window that is as narrow as a phone."""

    page: Page
    district: District
    say: Tongue = ENGLISH

    @property
    def main(self) -> Locator:
        """Return what the page is about."""
        return self.page.get_by_role("main")

    def open(self, path: str) -> None:
        """Go to one of the provider's pages."""
        self.page.goto(f"{self.district.issuer}{path}")

    def ask(self, answer: str) -> Locator:
        """Follow the question of Help that leads to an answer (#answer), and return the answer."""
        self.open("/help")
        self.page.locator(f"nav a[href='#{answer}']").click()
        expect(self.page.locator(f"#{answer}")).to_be_in_viewport()
        return self.page.locator(f"section[aria-labelledby='{answer}']")

    def come_from(self, application: str) -> None:
        """Open an application's first page, which asks for a log-in, and press its link."""
        self.page.goto(self.district.applications[application])
        self.page.get_by_role("link", name=self.say("Log in"), exact=True).click()

    def is_inside(self, application: str, name: str) -> None:
        """See that an application has let somebody in, by name."""
        expect(self.page).to_have_url(re.compile(rf"^{re.escape(self.district.applications[application])}/"))
        expect(self.page.get_by_text(f"{self.say('Logged in as')} {name}")).to_be_visible()

    def fill(self, label: str, value: str) -> None:
        """Type something into a field."""
        self.page.get_by_label(self.say(label), exact=True).fill(value)

    def press(self, button: str) -> None:
        """Press a button."""
        self.main.get_by_role("button", name=self.say(button), exact=True).click()

    def follow(self, link: str) -> None:
        """Follow a link."""
        self.main.get_by_role("link", name=self.say(link), exact=True).first.click()

    def reads(self, words: str) -> None:
        """See that the page says something."""
        expect(self.main).to_contain_text(self.say(words))

    def is_at(self, heading: str) -> None:
        """See that a page of that name is open, and that nothing on it is wider than a phone."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(self.say(heading))
        assert taken(self.page) <= PHONE, heading

    def log_in(self, who: LogIn | Person, password: str = "") -> None:
        """Fill in the log-in page, which has to be open."""
        self.fill("Username", who.username)
        self.fill("Password", password or who.password)
        self.press("Log In")

    def open_account_settings(self) -> None:
        """Walk as the FAQ says: Profile, Settings, Account Settings."""
        profile = self.page.get_by_role("button", name=self.say("Profile"), exact=True)
        expect(profile).to_be_visible()
        self.page.wait_for_load_state()  # its menu comes after it
        profile.click()
        self.page.get_by_role("banner").get_by_role("link", name=self.say("Settings"), exact=True).click()
        self.follow("Account Settings")
        self.is_at("Account Settings")

    def enter_address(self, address: str, password: str) -> None:
        """Fill in the page that asks for a security email."""
        self.fill("Email Address", address)
        self.fill("Current Password", password)
        self.press("Save")

    def verify(self, link: str) -> None:
        """Open the link of a mail, and press the button."""
        self.page.goto(link)
        self.press("Verify")
        self.is_at("Your Security Email Is Verified")

    def forget_password(self, username: str) -> None:
        """Ask for a new one at the log-in page."""
        self._forget("Forgot Password?", "Username or security email", username)

    def forget_password_in_vain(self, username: str, office: Office) -> None:
        """Ask for a new one, and wait until that was looked at: the worker takes questions in their order."""
        self.forget_password(username)
        next_one = f"after-{username}".replace(".", "-")  # which doesn't hold the username, so that no mail names both
        address = f"{next_one}@recovers.example.org"
        self.district.add(next_one, address, locale=self.say.code)
        self.forget_username(address)
        office.wait_for(self.say("Your username"), naming=next_one)

    def forget_username(self, address: str) -> None:
        """Ask for it at the log-in page."""
        self._forget("Forgot Username?", "Security email", address)

    def _forget(self, link: str, label: str, value: str) -> None:
        self.open("/login")
        self.follow(link)
        self.fill(label, value)
        self.press("Send Email")
        self.is_at("Check Your Email")

    def fill_in_the_form(self, topic: str, name: str, email: str, summary: str = "") -> str:
        """Fill in the support form, which has to be open with its topic chosen, and return the request's number."""
        say = self.say
        expect(self.page.get_by_label(say("What do you need help with?"))).to_have_value(topic)
        self.page.get_by_label(say("Your name")).fill(name)
        self.page.get_by_label(say("Who are you to the student?")).select_option(label=say("Parent"))
        self.page.get_by_label(say("The student’s name")).fill("Jan Kowalski")
        self.page.get_by_label(say("The student’s school")).select_option(label="Maine East High School")
        self.fill("Email", email)
        self.page.get_by_label(say("Your question, in a few words")).fill(summary)
        self.page.wait_for_timeout(1100)  # nobody fills it in faster, so what comes sooner is asked for once more
        self.press("Send")
        self.is_at("We have your request")
        return re.sub(r"\s", "", self.page.locator(".ticket-number").inner_text())
