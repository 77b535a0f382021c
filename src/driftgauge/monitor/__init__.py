"""Models and their versions: batches of records in, state changed.

A batch is first *prepared* (what it will change is computed, nothing is changed), then committed by
the store, then *applied*; replaying a committed batch is applying it again. So what a restart finds
is what was acknowledged.
"""
