"""redis-om: models as hashes, found by their keys; searching needs a module of Redis."""

from __future__ import annotations

import os

from settings import part, url

os.environ["REDIS_OM_URL"] = url(0)

from redis_om import Field, HashModel, NotFoundError, get_redis_connection

MODELS = 300


class Customer(HashModel, index=True):
    """A customer, kept as a hash."""

    name: str
    age: int
    note: str | None = Field(default=None)

    class Meta:
        """Where it is kept."""

        global_key_prefix = "interop"
        database = get_redis_connection(url=url(0), decode_responses=True)


def check() -> None:
    """Fails with an AssertionError, or whatever redis-om raises."""
    with part("models"):
        made = [Customer(name=f"name {n}", age=n).save() for n in range(MODELS)]
        for n, customer in enumerate(made):
            found = Customer.get(customer.pk)
            assert (found.name, found.age, found.note) == (f"name {n}", n, None)
        assert len(list(Customer.all_pks())) == MODELS
        made[0].update(age=77)
        assert Customer.get(made[0].pk).age == 77
    with part("expiry"):
        made[1].expire(100)
        assert 0 < Customer.db().ttl(made[1].key()) <= 100
    with part("deletion"):
        Customer.delete(made[2].pk)
        try:
            Customer.get(made[2].pk)
        except NotFoundError:
            pass
        else:
            raise AssertionError("it is still there")
    with part("pipelines"):
        pipe = Customer.db().pipeline()
        for n in range(10):
            Customer(name="piped", age=n).save(pipeline=pipe)
        assert len(pipe.execute()) >= 10
        assert len(list(Customer.all_pks())) == MODELS + 9
