"""Who may sign in to the tests' Swift, and what it does unless told otherwise: apart from the server,
which patches the process it runs in.
"""

ACCESS_KEY = "test:tester"
SECRET_KEY = "testing"
REGION = "us-east-1"
FEW_PARTS = 2
"""Of one page of a list of parts: small, so that a handful already fills several."""
