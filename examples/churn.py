"""A churn model that tells driftgauge what it predicted and what came of it.

Made-up customers, real requests: nothing but the standard library, and the records as such a model
might have logged them anyway, in its own names. examples/churn.yaml gives driftgauge the other names:

    driftgauge serve --config examples/churn.yaml --data churn-data
    python examples/churn.py

What happens in the records, in this order:

1. All is well: the score is right about a customer as often as it says it is.
2. The leading sign. A release keeps people logged in, and `user_login_frequency` falls by half on
   every plan. The scores and the outcomes are as good as before.
3. The failure. On the enterprise plan the model leaned on those logins. Its scores there gather
   around one half, and its accuracy falls from about 80% to about 52%. Only 6 customers of 100 are on
   that plan, so the accuracy of all of them together falls by less than two points.

The outcome is 1 with probability 0.8 * score + 0.1 throughout, on every plan: the scores stay
calibrated, which is why only a look at the segment finds the failure.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

PLANS = {"basic": 0.52, "pro": 0.42, "enterprise": 0.06}
# Shares of the whole time at which logins begin to fall, have fallen, and enterprise fails.
FALL_BEGINS, FALL_ENDS, FAILURE = 0.30, 0.42, 0.60
BATCH = 500
TRIES = 20
STARTING = 10


def score_of(plan: str, progress: float, draw: random.Random) -> float:
    """The model's probability that the customer leaves."""
    if plan == "enterprise" and progress >= FAILURE:
        return draw.uniform(0.44, 0.56)
    # Mostly sure of itself: near 0 or near 1.
    return draw.betavariate(0.25, 0.30)


def features_of(plan: str, score: float, progress: float, draw: random.Random) -> dict[str, object]:
    """What the model saw."""
    fallen = min(1.0, max(0.0, (progress - FALL_BEGINS) / (FALL_ENDS - FALL_BEGINS)))
    usual_logins = 14.0 - 8.0 * score
    return {
        "user_login_frequency": round(draw.gammavariate(4.0, usual_logins / 4.0) * (1 - 0.5 * fallen), 2),
        "customer_age": draw.randint(18, 79),
        "monthly_spend": round(draw.lognormvariate(5.5 if plan == "enterprise" else 3.5, 0.5), 2),
        "support_tickets": min(9, int(draw.expovariate(1.0))),
    }


def records(count: int, start: datetime, days: float, seed: int) -> Iterator[dict[str, object]]:
    """*count* records, evenly spaced over *days* from *start*; the same for the same *seed*."""
    draw = random.Random(seed)
    names, weights = list(PLANS), list(PLANS.values())
    for place in range(count):
        progress = place / count
        [plan] = draw.choices(names, weights)
        score = score_of(plan, progress, draw)
        yield {
            "model": "churn",
            "timestamp": (start + timedelta(days=days * progress)).isoformat(),
            "prediction_score": round(score, 4),
            "actual_outcome": int(draw.random() < 0.8 * score + 0.1),
            "features": features_of(plan, score, progress, draw),
            "segments": {"plan": plan},
        }


def batches(found: Iterable[dict[str, object]]) -> Iterator[list[dict[str, object]]]:
    """The records, `BATCH` at a time."""
    left = iter(found)
    while batch := list(islice(left, BATCH)):
        yield batch


def post(url: str, batch: list[dict[str, object]], key: str) -> dict[str, int]:
    """Send a batch and return driftgauge's answer; wait and try again when it asks for that.

    The key makes a batch that is sent twice count once: these records have no id of their own.
    """
    request = urllib.request.Request(
        f"{url}/v1/predictions",
        data=json.dumps(batch).encode(),
        headers={"Content-Type": "application/json", "Idempotency-Key": key},
    )
    for again in range(TRIES):
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code not in (429, 503):
                raise SystemExit(f"{url} refused the records: {refusal(error)}") from error
            time.sleep(float(error.headers.get("Retry-After", 1)))
        except OSError as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, TimeoutError):  # busy too, and the key makes another try harmless
                continue
            if (
                isinstance(reason, ConnectionRefusedError) and again < STARTING
            ):  # it may have just been started
                time.sleep(1)
                continue
            raise SystemExit(f"{url} can't be reached: {reason}; is `driftgauge serve` running?") from error
    raise SystemExit(f"{url} was too busy, or gave no answer, {TRIES} times")


def refusal(error: urllib.error.HTTPError) -> str:
    """What driftgauge said, of many refused records about the first."""
    said = error.read().decode()
    try:
        problem = json.loads(said)
        listed = [f"; the first: {each['detail']}" for each in problem.get("rejected", [])[:1]]
        return f"{error.code} {problem['detail']}{''.join(listed)}"
    except (ValueError, TypeError, AttributeError, LookupError):
        return f"{error.code} {said}"


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Send a churn model's records to driftgauge.")
    parser.add_argument("--url", default="http://127.0.0.1:9877", help="driftgauge's intake (%(default)s)")
    parser.add_argument("--records", type=int, default=42_000, help="how many records (%(default)s)")
    parser.add_argument("--days", type=float, default=60.0, help="the time that they span (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other customers (%(default)s)")
    parser.add_argument(
        "--start", type=datetime.fromisoformat, help="first timestamp; by default the last one is now"
    )
    parser.add_argument("--time-scale", type=float, default=345_600.0, help="seconds of the records' time a second (%(default)s, four days); 0: as fast as it goes")  # fmt: skip
    return parser.parse_args()


def main() -> None:
    """Send all records, and say what became of them."""
    given = arguments()
    start = given.start or datetime.now(UTC) - timedelta(days=given.days)
    start = start if start.tzinfo else start.replace(tzinfo=UTC)
    run = f"churn-{given.seed}-{start.timestamp():.0f}-{given.records}"
    accepted = rejected = 0
    began = time.monotonic()
    for number, batch in enumerate(batches(records(given.records, start, given.days, given.seed))):
        if given.time_scale:
            newest = datetime.fromisoformat(str(batch[-1]["timestamp"])) - start
            time.sleep(max(0.0, began + newest.total_seconds() / given.time_scale - time.monotonic()))
        answer = post(given.url, batch, f"{run}-{number}")
        accepted += answer["accepted"]
        rejected += len(batch) - answer["accepted"] - answer["duplicates"]
    print(f"{accepted} records accepted, {rejected} rejected, from {start:%Y-%m-%d} on {given.days:g} days")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
