"""What a writer writes: units of numbered commands, and the data that the first n of them leave.

From the data alone it can be told how many units they are the result of. A unit that is missing
before that, one that took effect twice or in part, and a key that nobody wrote all make a
difference.
"""

from __future__ import annotations

from typing import Any

Words = tuple[str, ...]
Data = dict[str, Any]

_KINDS = 12
_FIELDS = 50
# Keys with an expiry that there are at the same time.
_TIMED = 40


class Work:
    """The units of one writer, whose keys begin with ``prefix``. Units are numbered from 0."""

    def __init__(self, prefix: str):
        self.prefix = prefix

    def unit(self, number: int) -> list[Words]:
        """The commands of a unit: one, or a transaction."""
        i, key, odd = str(number), self.prefix, number // _KINDS % 2
        match number % _KINDS:
            case 0:
                return [("SET", f"{key}:string", i)]
            case 1:
                return [("APPEND", f"{key}:text", f",{i}")]
            case 2:
                return [("RPUSH", f"{key}:list", i)]
            case 3:
                return [("INCR", f"{key}:number")]
            case 4:
                return [
                    ("MULTI",),
                    ("SET", f"{key}:first", i),
                    ("INCR", f"{key}:second"),
                    ("RPUSH", f"{key}:third", i),
                    ("EXEC",),
                ]
            case 5:
                return [("HSET", f"{key}:hash", f"f{number % _FIELDS}", i)]
            case 6:
                return [("ZADD", f"{key}:zset", i, f"m{number % _FIELDS}")]
            case 7:
                return [("SPOP", f"{key}:set")] if odd else [("LPOP", f"{key}:list")]
            case 8:
                return [("SET", f"{key}:timed:{number % _TIMED}", i, "EX", "100000")]
            case 9:
                return [("XADD", f"{key}:stream", f"0-{number + 1}", "n", i)]
            case 10:
                return [("INCRBYFLOAT", f"{key}:float", "0.5")]
            case _:
                return [("RPUSH", f"{key}:list", i)] if odd else [("SADD", f"{key}:set", i)]

    def apply(self, number: int, data: Data) -> None:
        """Do to the data what a unit does."""
        i, key, odd = str(number), self.prefix, number // _KINDS % 2
        match number % _KINDS:
            case 0:
                data[f"{key}:string"] = i
            case 1:
                data[f"{key}:text"] = data.get(f"{key}:text", "") + f",{i}"
            case 2:
                data.setdefault(f"{key}:list", []).append(i)
            case 3:
                _count(data, f"{key}:number", 1)
            case 4:
                data[f"{key}:first"] = i
                _count(data, f"{key}:second", 1)
                data.setdefault(f"{key}:third", []).append(i)
            case 5:
                data.setdefault(f"{key}:hash", {})[f"f{number % _FIELDS}"] = i
            case 6:
                data.setdefault(f"{key}:zset", {})[f"m{number % _FIELDS}"] = i
            case 7:
                _pop(data, f"{key}:set" if odd else f"{key}:list")
            case 8:
                data[f"{key}:timed:{number % _TIMED}"] = i
            case 9:
                data.setdefault(f"{key}:stream", []).append(i)
            case 10:
                _count(data, f"{key}:float", 0.5)
            case _:
                data.setdefault(f"{key}:list" if odd else f"{key}:set", []).append(i)

    def result(self, count: int) -> Data:
        """The data after the first ``count`` units."""
        data: Data = {}
        for number in range(count):
            self.apply(number, data)
        return data

    def count(self, data: Data) -> int | None:
        """How many units data are the result of, None if they are of no number of them."""
        least = 1 + max((_last(value) for value in data.values()), default=-1)
        result = self.result(least)
        # What the last ones did may have left nothing with their number.
        for number in range(least, least + _KINDS):
            if result == data:
                return number
            self.apply(number, result)
        return None


def _count(data: Data, key: str, step: float) -> None:
    data[key] = f"{float(data.get(key, '0')) + step:g}"


def _pop(data: Data, key: str) -> None:
    if key in data:
        del data[key][0]
        if not data[key]:
            del data[key]


def _last(value: Any) -> int:
    """The highest number of a unit that a value shows."""
    if isinstance(value, str):
        last = value.rpartition(",")[2]
        return int(last) if last.isdigit() else -1
    numbers = value.values() if isinstance(value, dict) else value
    return max((int(number) for number in numbers), default=-1)
