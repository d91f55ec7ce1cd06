"""A real mongod for one-machine use: started, kept and stopped by the process that needs it.

One-node replica set (change streams and transactions need one) on a loopback port, with
authentication, everything below `DATA_DIR/mongodb`. A first start takes under a second of mongod's
own time, a stop about one. Uses only commands that MongoDB 6.0 and 8.x share.
"""

from academy.embedded.binary import find_mongod
from academy.embedded.server import EmbeddedMongo

__all__ = ["EmbeddedMongo", "find_mongod"]
