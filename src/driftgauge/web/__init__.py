"""The HTTP doors: records in, numbers out, and no business logic.

What the doors need of the rest stands in `ports`; `server` opens them. Handlers sit on aiohttp's
low-level server, which costs less a request than its Application and lets one place answer
every error, those of the HTTP parser included, as problem+json.
"""
