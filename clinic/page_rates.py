"""How often one network may use a page for anybody: so many requests in each stretch of time, counted as the API's are.

The counters are in the cache `rates`: with Redis one for all web processes, else each counts for itself. What must
hold in any case is counted in the tables (`appointments/online/public_booking.py`).
"""

from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.core.cache import caches
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from clinic import times


def network_of(request: HttpRequest) -> str:
    """Where a request comes from: the address, or of the newer kind the /64 that a household has for itself."""
    said = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY:
        said = request.headers.get("X-Forwarded-For", "").split(",")[-1].strip() or said
    try:
        address = ip_address(said)
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(ip_network(f"{address}/64", strict=False))
    return str(address)


def hashed_network(request: HttpRequest) -> str:
    """The same in a form that may be kept: compared, never read."""
    return salted_hmac("page_rates.network", network_of(request), algorithm="sha256").hexdigest()


def allows(request: HttpRequest, name: str) -> bool:
    """Count this request; False when it was one too many in this stretch of time (`PAGE_RATES`)."""
    if name not in settings.PAGE_RATES:
        return True
    most, seconds = settings.PAGE_RATES[name]
    window = int(times.now().timestamp()) // seconds
    key, counts = f"page:{name}:{hashed_network(request)}:{window}", caches["rates"]
    counts.add(key, 0, timeout=2 * seconds)
    try:
        return counts.incr(key) <= most
    except ValueError:  # thrown out between the two lines: a full cache must not refuse anybody
        return True
