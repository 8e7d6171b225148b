"""Which generator each draw comes from, and where in its stream."""

import torch


WORDS_LIMIT = 1 << 27  # words that are looked through for a state


def words_between(before, after, limit=WORDS_LIMIT):
    """Words drawn between two states of a generator; None if the cached normal changed, or there is none."""
    if not torch.equal(before[5024:5048], after[5024:5048]):
        return None

    def position(state):
        words = state[24:24 + 8 * 624].view(torch.int64)
        return words, int(state[8:12].view(torch.int32)), int(state[16:24].view(torch.int64))

    target, _, next_after = position(after)
    words, left, next_before = position(before)
    if torch.equal(words, target):
        return next_after - next_before if next_after >= next_before else None
    count = 624 - next_before if left != 1 or next_before else 0
    scratch = torch.Generator()
    scratch.set_state(before)
    # One draw past the end of a block makes the next one.
    torch.empty(count + 1, dtype=torch.int32).random_(generator=scratch)
    block = torch.empty(624, dtype=torch.int32)
    while not torch.equal(position(scratch.get_state())[0], target):
        count += 624
        if count > limit:
            return None
        block.random_(generator=scratch)
    return count + next_after


def holds_cached_normal(state):
    return bool(state[5040])


class Advance:
    """Words of the generator that went somewhere else; None if their number is not known."""

    def __init__(self, words, cause):
        self.words, self.cause = words, cause


class Reseed:
    """The stream begins anew."""

    def __init__(self, seed):
        self.seed = seed


class Save:
    """The generator as it is now gets a name."""

    def __init__(self, name):
        self.name = name


class Restore:
    """The generator is again as it was."""

    def __init__(self, name):
        self.name = name


class Streams:
    """Follows the generators; what a draw needs before it is put into the record's events.

    Whether somebody has seeded a generator or set its state is seen at the next draw: its state is not
    that in which the last draw left it.
    """

    def __init__(self, events, seed):
        self.events, self.seed = events, seed
        self.current = None
        # The state in which each generator was left, by the generator's identity.
        self.left = {}
        # Where in the record a state was seen: the event before which the generator had it.
        self.seen = {}
        self.kept = []

    def before_draw(self, generator):
        """Makes the record say which generator comes next, and how it is now."""
        # The Python object of a generator is made anew for each call.
        key = 0 if generator is None or generator._cdata == torch.default_generator._cdata else generator._cdata
        state = (torch.default_generator if key == 0 else generator).get_state()
        if self.current is None:
            self.current, self.left[0] = 0, _initial(self.seed)
            # A script may seed anew before its first draw, and come back to this.
            self.seen[_digest(self.left[0])] = 0
        if key != self.current:
            self.kept.append(generator)  # so that its identity is not used again
            self.events.append(Save(f"generator {self.current}"))
            if key in self.left:
                self.events.append(Restore(f"generator {key}"))
            self.current = key
        if key not in self.left or not torch.equal(self.left[key], state):
            self._jump(key, state)
        self.seen.setdefault(_digest(state), len(self.events))
        return state

    def after_draw(self, state):
        self.left[self.current] = state
        self.seen.setdefault(_digest(state), len(self.events))

    def _jump(self, key, state):
        seed = int(state[:8].view(torch.int64)) & 0xffffffff
        if seed != self.seed and torch.equal(_initial(seed)[8:], state[8:]):
            self.events.append(Reseed(seed))
        elif _digest(state) in self.seen:
            place = self.seen[_digest(state)]
            name = f"state {place}"
            if not any(isinstance(e, Save) and e.name == name for e in self.events):
                self._insert(place, Save(name))
            self.events.append(Restore(name))
        else:
            words = words_between(self.left[key], state, 1 << 20) if key in self.left else None
            self.events.append(Advance(words, "something that is not an operation of PyTorch"))

    def _insert(self, place, event):
        self.events.insert(place, event)
        for digest, index in self.seen.items():
            if index > place:
                self.seen[digest] = index + 1


def _initial(seed):
    return torch.Generator().manual_seed(seed).get_state()


def _digest(state):
    # The seed is part of the state, but changes nothing.
    return hash(state[8:].numpy().tobytes())
