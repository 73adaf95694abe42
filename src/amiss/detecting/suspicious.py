"""What requests of attackers look like: plain patterns, by name. Pure.

Each is looked for in a text of 2,048 characters at most, after %41 and + have been decoded twice,
in small letters. What may repeat is bounded, so that a text takes some milliseconds at worst. They
say what is typical of an attempt, not that it worked; none is taken from a rule set of others.
"""

import re
from functools import cache

LONGEST = 2048
PATTERNS: dict[str, tuple[str, str]] = {
    "sql-injection": (
        "SQL injection",
        r"\bunion\b.{0,40}\bselect\b|\bselect\b.{1,80}\bfrom\b.{1,40}\b(?:where|limit|--)"
        r"|['\"]\s{0,9}(?:or|and)\s{1,9}['\"(]?\w{1,20}['\")]?\s{0,9}(?:=|like\b)"
        r"|\b(?:or|and)\s{1,9}(\d{1,9})\s{0,9}=\s{0,9}\1\b|['\"]\s{0,9};?\s{0,9}--"
        r"|;\s{0,9}(?:drop|delete|insert|update|alter|truncate)\s{1,9}\w"
        r"|\b(?:sleep|benchmark|pg_sleep|waitfor\s{1,9}delay|load_file|extractvalue)\s{0,9}[('\"]"
        r"|\binformation_schema\b|\bxp_cmdshell\b|\binto\s{1,9}(?:out|dump)file\b",
    ),
    "cross-site-scripting": (
        "cross-site scripting",
        r"<\s{0,9}/?\s{0,9}(?:script|iframe|svg|object|embed)\b|\bjavascript\s{0,9}:"
        r"|\bon(?:error|load|click|mouseover|focus|toggle)\s{0,9}=\s{0,9}[^\s&]"
        r"|\bdocument\s{0,3}\.\s{0,3}(?:cookie|location|write)\b|<\s{0,9}img\b[^>]{0,200}\bsrc\b",
    ),
    "path-traversal": (
        "path traversal",
        r"(?:^|[/\\=?&:])\.\.(?:[/\\]|$)|\.\.[/\\]\.\.|%c0%af|\.\.;/",
    ),
    "command-injection": (
        "command injection",
        r"(?:[;|&`\n]|\$\()\s{0,9}(?:/\w{1,20}/)?(?:/?bin/)?(?:cat|ls|id|whoami|uname|wget|curl|nc"
        r"|ncat|bash|sh|powershell|python\d?|perl|ping|nslookup|chmod|rm)\b(?![\w=.-])"
        r"|\$\{?ifs\b|/bin/(?:ba|da|z|k)?sh\b|\(\)\s{0,9}\{\s{0,9}:;",
    ),
    "file-inclusion": (
        "file inclusion",
        r"\b(?:php|phar|data|expect|zip|gopher|dict|file)://"
        r"|=\s{0,3}(?:https?|ftp)://[^&\s]{1,200}\.(?:txt|php|jsp|sh)\b",
    ),
    "template-injection": (
        "template or lookup injection",
        r"\$\{\s{0,9}(?:jndi|env|sys|lower|upper|::-)|\{\{[^}]{0,100}[*+.(][^}]{0,100}\}\}"
        r"|<%=|\$\{[^}]{0,100}(?:runtime|processbuilder|exec)\b|#\{[^}]{0,100}\}",
    ),
    "sensitive-file": (
        "a file that is nobody's business",
        r"/etc/(?:passwd|shadow|hosts|group)\b|/proc/self/|\bboot\.ini\b|\bwin\.ini\b"
        r"|/\.(?:env|git|svn|hg|aws|ssh|htaccess|htpasswd|ds_store|bash_history)(?:[/.?\s]|$)"
        r"|\b(?:id_rsa|wp-config\.php|web\.config|\.npmrc)\b"
        r"|\.(?:bak|old|swp|sql|sqlite|pem|key)(?:\.(?:gz|zip))?(?:[?\s\"]|$)",
    ),
    "probe": (
        "a probe for what is not there",
        r"/(?:phpmyadmin|pma|wp-login\.php|xmlrpc\.php|wp-admin|cgi-bin/|manager/html"
        r"|actuator/(?:env|heapdump|gateway)|solr/admin|jmx-console|vendor/phpunit|_ignition/"
        r"|hnap1|boaform|setup\.cgi|server-status|autodiscover/|owa/auth|telescope/requests)",
    ),
    "scanner": (
        "a scanner",
        r"\b(?:sqlmap|nikto|nmap|masscan|zgrab|nuclei|wpscan|dirbuster|gobuster|feroxbuster|ffuf"
        r"|acunetix|nessus|openvas|arachni|w3af|havij|hydra|whatweb|jaeles|zmeu|morfeus)\b",
    ),
    "protocol-abuse": (
        "a request that breaks the protocol",
        r"\r\n(?:set-cookie|location|content-length)\s{0,3}:|%0d%0a(?:set-cookie|location)"
        r"|\x00|\\x16\\x03",
    ),
}
"""Name: what it is in words, and what it looks like."""


@cache
def compiled(name: str) -> re.Pattern[str]:
    """The pattern of this name."""
    return re.compile(PATTERNS[name][1], re.DOTALL)


def found(text: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Which of these patterns a text has in it; %, + and capitals do not hide it."""
    plain = decoded(text[:LONGEST])
    return tuple(name for name in names if compiled(name).search(plain))


def decoded(text: str) -> str:
    """As the server sees it: %41 and + twice over, in small letters."""
    once = _decoded(text)
    return (once if once == text else _decoded(once)).lower()


def _decoded(text: str) -> str:
    if "%" not in text and "+" not in text:
        return text
    return _HEX.sub(lambda m: chr(int(m[1], 16)), text.replace("+", " "))


_HEX = re.compile(r"%([0-9a-fA-F]{2})")
