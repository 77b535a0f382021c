"""The demonstration: three models, their records, and how they are replayed through the HTTP door.

It knows nothing of the running program; `app.demo` brings the two together.
"""
