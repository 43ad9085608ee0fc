"""How often the API may be asked: so many requests in each minute, counted in the cache `rates`.

One counter for each who and minute costs the same however many requests went before; what REST framework has by itself
keeps the time of every request, and reads and writes all of them at each.
"""

from django.core.cache import caches
from rest_framework.throttling import AnonRateThrottle, SimpleRateThrottle, UserRateThrottle


class _Counted(SimpleRateThrottle):
    def allow_request(self, request, view):
        who = self.rate and self.get_cache_key(request, view)
        if not who:
            return True
        window, self._spent = divmod(self.timer(), self.duration)
        key, counts = f"{who}:{window:.0f}", caches["rates"]
        counts.add(key, 0, timeout=2 * self.duration)
        try:
            return counts.incr(key) <= self.num_requests
        except ValueError:  # thrown out between the two lines: a full cache must not refuse anybody
            return True

    def wait(self):
        return self.duration - self._spent


class PerUser(_Counted, UserRateThrottle):
    """Whoever signed in, or holds the token."""


class PerAddress(_Counted, AnonRateThrottle):
    """Whoever did not, by network address."""
