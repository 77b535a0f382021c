"""Records whose every window is known in advance, in rounds that may arrive in any order within.

Four models on records clocks. A round's requests are sent at once by several clients; nothing of
the next is sent before each was acknowledged, so whatever order a round arrives in, and however often,
the numbers must be the same.
"""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field

HOUR = 3600.0
BEGIN = 1_700_006_400.0  # a multiple of an hour
WIDTH = 4 * HOUR  # of a round
HORIZON = 36 * HOUR
ROUNDS = 62
RIPE = 54  # the round after which beta's reference freezes: 8 days and 5,000 records
# What has expired by the end must not depend on which rows share a blob: no time falls into this round.
QUIET = ROUNDS - 10
NOW = BEGIN + ROUNDS * WIDTH + HOUR / 2  # its horizon and the hour of grace ago lies within the quiet round
PLANS = ("free", "team", "enterprise")
CLASSES = ("red", "green", "blue")


@dataclass(frozen=True)
class Sent:
    """A request: sent again until it is acknowledged."""

    path: str
    body: bytes
    records: int
    key: str | None = None


@dataclass
class Truth:
    """What must have been counted in the end, computed from the records alone."""

    predictions: Counter = field(default_factory=Counter)
    joined: Counter = field(default_factory=Counter)
    implied: Counter = field(default_factory=Counter)
    unjoined: Counter = field(default_factory=Counter)


class Stream:
    """`rounds[i]` are requests; *late* are the records that must still be known as duplicates."""

    def __init__(self, seed=5):
        self.random = random.Random(seed)
        self.predicted = {}  # (model, version, id) -> (time, outcome at once)
        self.told = defaultdict(list)  # (model, id) -> [(version or None, time)]
        self.due = defaultdict(list)  # round -> outcomes
        self.held = defaultdict(list)  # round -> predictions that come after their outcomes
        self.kept = defaultdict(list)  # round -> records by path, to be sent again
        self.unnamed = Counter()
        self.scores = {}  # delta's, by version and id
        self.words = {}  # delta's outcomes by id: the last word
        self.again = defaultdict(list)  # round -> delta's outcomes, first words and other ones
        self.rounds = [self._round(number) for number in range(ROUNDS)]
        self.last = self._last()

    # --- rounds ---

    def _round(self, number):
        if number == 0:
            return self._seed()
        predictions = [*self._alpha(number), *self._beta(number), *self._gamma(number)]
        if number in self.held:
            predictions.append(self.held.pop(number))
        requests = [self._request("predictions", some) for some in predictions]
        outcomes = self.due.pop(number, [])
        self.random.shuffle(outcomes)
        third = len(outcomes) // 3 + 1
        requests += [
            self._request("outcomes", outcomes[i : i + third]) for i in range(0, len(outcomes), third)
        ]
        requests += self._unnamed(number)
        requests += self._delta(number)
        for some, path in ((predictions, "predictions"), ([outcomes], "outcomes")):
            self.kept[number] += [(path, record) for records in some for record in records]
        requests += self._again(number)
        self.random.shuffle(requests)
        return requests

    def _seed(self):
        """What is learned from the first record to come: one request, so that there is only one."""
        records = [
            self._record("alpha", v, "seed", BEGIN + 60, plan=p) for v, p in zip("12", PLANS, strict=False)
        ]
        records += [self._record("beta", "1", "seed", BEGIN + 60)]
        records += [self._record("delta", v, f"seed{v}", BEGIN + 60) for v in "12"]
        records += [self._record("gamma", "1", f"seed{c}", BEGIN + 60, prediction=c) for c in CLASSES]
        for record in records:
            if record["model"] != "delta":
                self._tell(0, record, 30.0, versioned=True)
        outcomes = self.due.pop(0)
        self.seeded = {o["outcome"] for o in outcomes if o["model"] == "alpha"}
        return [
            self._request("predictions", records, key="seed"),
            *(
                self._request("outcomes", [o for o in outcomes if o["model"] == m])
                for m in ("alpha", "beta", "gamma")
            ),
        ]

    def _alpha(self, number):
        """Binary, both versions; a third of the ids in both."""
        if number == QUIET:
            return []
        start = BEGIN + number * WIDTH
        found = []
        for version in "12":
            some = []
            for i in range(30):
                name = f"a{number}-{i}" if i % 3 == 0 else f"a{number}-{version}-{i}"
                at = self._moment(start)
                if i % 3 == 0 and version == "2":
                    at = self.predicted["alpha", "1", name][0]  # one moment, so that one delay serves both
                some.append(self._record("alpha", version, name, at, at_once=i % 10 == 7 and i % 3 != 0))
            found.append(some)
        found[0] = [r for i, r in enumerate(found[0]) if not self._delayed(number, r, i % 3 == 0)]
        # one outcome serves both versions where they share the id
        found[1] = [r for i, r in enumerate(found[1]) if i % 3 == 0 or not self._delayed(number, r, False)]
        # At the horizon to the second, and a second after it.
        for late, name in ((0.0, "edge"), (1.0, "over")):
            at = start + WIDTH - 10 - late
            record = self._record("alpha", "1", f"{name}{number}", at)
            found[0].append(record)
            if number + 9 < ROUNDS and number + 9 != QUIET:
                self._tell(number + 9, record, HORIZON + late, versioned=False)
        return found

    def _beta(self, number):
        """A regression whose reference is learned, and frozen in one known round."""
        if number == QUIET:
            return []
        start = BEGIN + number * WIDTH
        many = 400 if number == RIPE else 94
        moments = [self._moment(start) + 2 * HOUR * (number == RIPE and i % 2) for i in range(many)]
        some = [self._record("beta", "1", f"b{number}-{i}", at) for i, at in enumerate(moments)]
        some = [record for record in some if not self._delayed(number, record, False)]
        # The moment of freezing must be one: no other request may move beta's clock in that round.
        return [some] if number == RIPE else [some[::2], some[1::2]]

    def _gamma(self, number):
        """Multiclass; a new version each ten rounds, so that the eldest goes."""
        if number == QUIET:
            return []
        start = BEGIN + number * WIDTH
        version = str(1 + number // 10)
        some = [
            self._record(
                "gamma",
                version,
                f"g{number}-{i}",
                self._moment(start),
                prediction=self.random.choice(CLASSES),
            )
            for i in range(12)
        ]
        for record in some:
            # told soon, before its version goes, and never in the round in which another comes
            if number % 10 < 8:
                self._tell(number + 1, record, WIDTH, versioned=False)
        return [some]

    def _delta(self, number):
        """Binary, both versions asked the same; half of the outcomes are told otherwise a round later."""
        if number == QUIET:
            return []
        requests = []
        if self.again[number]:
            requests.append(self._request("outcomes", self.again[number]))
        told = number + 2 < ROUNDS and QUIET not in (number + 1, number + 2)
        predictions = {version: [] for version in "12"}
        for i in range(6):
            at, name = self._moment(BEGIN + number * WIDTH), f"d{number}-{i}"
            for version, some in predictions.items():
                some.append(self._record("delta", version, name, at))
            if told:
                self._tell_twice(number, predictions["1"][-1], again=i % 2)
        return [*requests, *(self._request("predictions", some) for some in predictions.values())]

    def _tell_twice(self, number, record, *, again):
        name, at = record["prediction_id"], round(record["timestamp"] + WIDTH, 3)
        self.told["delta", name].append((None, at))
        for later, wanted in enumerate((True, again)):
            if wanted:
                word = 1 - self.words[name] if later else self._outcome(record)
                self.words[name] = word
                outcome = {"prediction_id": name, "model": "delta", "timestamp": at + later, "outcome": word}
                self.again[number + 1 + later].append(outcome)

    def _unnamed(self, number):
        """Without ids only an Idempotency-Key keeps a request from being counted twice."""
        if number == QUIET:
            return []
        at = BEGIN + number * WIDTH + HOUR
        some = [
            self._features(at + i) | {"model": "alpha", "model_version": "1", "score": 0.25} for i in range(5)
        ]
        self.unnamed["alpha", "1"] += len(some)
        return [Sent("/v1/predictions", _lines(some), len(some), f"round {number}")]

    def _again(self, number):
        """Records of the two rounds before, once more; among the outcomes some that say something else."""
        before = [*self.kept[number - 1], *self.kept.get(number - 2, [])]
        some = self.random.sample(before, min(len(before), 25))
        found = []
        for path in ("predictions", "outcomes"):
            records = [dict(record) for where, record in some if where == path]
            for record in records[:3] if path == "outcomes" else []:
                if record["model"] == "alpha":
                    record["outcome"] = 1 - record["outcome"]
            if records:
                found.append(self._request(path, records))
        return found

    def _last(self):
        """Carries each clock to the same moment."""
        records = [
            self._record("alpha", "1", "last", NOW),
            self._record("beta", "1", "last", NOW),
            self._record("delta", "1", "last", NOW),
            self._record("gamma", str(1 + (ROUNDS - 1) // 10), "last", NOW, prediction="red"),
        ]
        return [self._request("predictions", records)]

    # --- records ---

    def _moment(self, start):
        """In one of a few minutes of the first two hours: a record a pane would cost a hundred times as much."""
        return start + HOUR / 2 * self.random.randrange(4) + 60 * self.random.random()

    def _features(self, at):
        return {
            "timestamp": round(at, 3),
            "latency_seconds": round(self.random.expovariate(20), 5),
            "features": {
                "age": self.random.randint(18, 90),
                "amount": round(self.random.lognormvariate(3, 1), 4),
                "plan": self.random.choice(PLANS),
            },
        }

    def _record(self, model, version, name, at, *, plan=None, prediction=None, at_once=False):
        record = self._features(at) | {"prediction_id": name, "model": model, "model_version": version}
        record["segments"] = {"plan": plan or self.random.choice(PLANS)}
        if model in ("alpha", "delta"):
            record["score"] = round(self.random.random(), 6)
            if at_once:
                record["outcome"] = self._outcome(record)
        elif model == "beta":
            record["prediction"] = round(record["features"]["age"] * 1.5 + self.random.gauss(0, 5), 6)
        else:
            shares = [self.random.random() + (c == prediction) for c in CLASSES]
            record["scores"] = {c: s / sum(shares) for c, s in zip(CLASSES, shares, strict=True)}
        self.predicted[model, version, name] = (record["timestamp"], at_once)
        if model == "delta":
            self.scores[version, name] = record["score"]
        return record

    def _outcome(self, record):
        model = record["model"]
        if model in ("alpha", "delta"):
            return int(self.random.random() < 0.2 + 0.6 * record["score"])
        if model == "beta":
            return round(record["prediction"] + self.random.gauss(1, 6), 6)
        return self.random.choice(CLASSES)

    def _delayed(self, number, record, shared):
        """Tell the outcome in its time, with its prediction, before it, or never; whether *record* waits."""
        if "outcome" in record:
            return False
        draw = self.random.random()
        if 0.05 <= draw < 0.2:
            self._tell(number, record, 300.0, versioned=not shared)
        elif 0.2 <= draw < 0.35 and number + 1 < ROUNDS and number + 1 != RIPE:
            self._tell(number, record, 60.0, versioned=False)
            self.held[number + 1].append(record)
            return True
        elif draw >= 0.05:
            self._tell(
                None, record, HOUR * self.random.randrange(0, 29, 2), versioned=not shared and draw < 0.7
            )
        return False

    def _tell(self, number, record, delay, *, versioned):
        at = round(record["timestamp"] + delay, 3)
        if BEGIN + QUIET * WIDTH <= at < BEGIN + (QUIET + 1) * WIDTH:
            at, number = at + WIDTH, None
        if number is None:
            number = int((at - BEGIN) // WIDTH)
        if record["model"] == "beta" and number == RIPE:
            number += 1
        if number >= ROUNDS:
            return
        outcome = {
            "prediction_id": record["prediction_id"],
            "model": record["model"],
            "timestamp": at,
            "outcome": self._outcome(record),
        }
        if versioned:
            outcome["model_version"] = record["model_version"]
        self.due[number].append(outcome)
        self.told[record["model"], record["prediction_id"]].append((outcome.get("model_version"), at))

    def _request(self, path, records, key=None):
        return Sent("/v1/" + path, _lines(records), len(records), key)

    # --- what must come of it ---

    def truth(self):
        """Counts by (model, version), of all that was ever sent."""
        found = Truth()
        found.predictions.update(self.unnamed)
        for (model, version, name), (at, at_once) in self.predicted.items():
            of = model, version
            found.predictions[of] += 1
            times = [t for v, t in self.told[model, name] if v in (None, version)]
            if at_once or any(t <= at + HORIZON for t in times):
                found.joined[of] += 1
            elif at < BEGIN + QUIET * WIDTH:
                found.implied[of] += model == "alpha"
            else:
                found.unjoined[of] += 1
        return found

    def cases(self, model):
        """How many ids both versions of a model answered whose outcome is known, or is implied for both."""
        # The first of alpha is told each version for itself.
        found = int(model == "alpha" and len(self.seeded) == 1)
        for (name, version, each), (at, at_once) in self.predicted.items():
            other = self.predicted.get((name, "1", each))
            if name != model or version != "2" or other is None or each == "seed":
                continue
            assert other == (at, at_once), "one moment, so that what is known of one is of both"
            known = any(version is None and t <= at + HORIZON for version, t in self.told[name, each])
            found += known or (model == "alpha" and at < BEGIN + QUIET * WIDTH)
        return found

    def right(self, version):
        """How many of delta's predictions the last words say are right, and how many there are words of."""
        predicted = {name: self.scores[version, name] >= 0.5 for name in self.words}
        return sum(predicted[name] == bool(word) for name, word in self.words.items()), len(self.words)

    def still_known(self):
        """Requests of which every record must be a duplicate in the end: all within the horizon."""
        recent = [*self.kept[ROUNDS - 1], *self.kept[ROUNDS - 2]]
        return [
            self._request(path, [record for where, record in recent if where == path])
            for path in ("predictions", "outcomes")
        ]


def _lines(records):
    return b"\n".join(json.dumps(record).encode() for record in records)
