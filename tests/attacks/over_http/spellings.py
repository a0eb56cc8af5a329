"""One text in many spellings: what a server that decodes once too often, or too kindly, takes for the same."""

from base64 import b64encode
from urllib.parse import quote


def spellings(text: str) -> dict[str, bytes]:
    """Return a text as it may stand in a query or a form, by the name of its spelling."""
    return {
        "percent": quote(text, safe="").encode(),
        "percent twice": quote(quote(text, safe=""), safe="").encode(),
        "every byte in lower case": "".join(f"%{byte:02x}" for byte in text.encode()).encode(),
        "overlong UTF-8": "".join(f"%c0%{0x80 | ord(sign) & 0x3F:02x}" for sign in text[:8]).encode()
        + quote(text[8:]).encode(),
        "UTF-16": quote(text.encode("utf-16")).encode(),
        "UTF-7": "".join(f"%2B{quote(b64encode(sign.encode('utf-16-be')).rstrip(b'='))}-" for sign in text).encode(),
        "%u": "".join(f"%u{ord(sign):04x}" for sign in text).encode(),
        "fullwidth": quote("".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text)).encode(),
        "HTML": quote("".join(f"&#{ord(sign)};" for sign in text)).encode(),
        "raw bytes": text.encode() + b"\xff\xfe",
        "NUL behind": quote(text + "\0").encode(),
        "line break behind": quote(text + "\r\nX: y").encode(),
        "tab before": quote("\t" + text).encode(),
        "byte order mark": quote("\ufeff" + text).encode(),
        "upper case": quote(text.upper()).encode() + b"%20",
    }


OTHER_SPELLINGS = sorted(set(spellings("x")) - {"percent", "every byte in lower case"})
"""Those that are not the text itself."""
