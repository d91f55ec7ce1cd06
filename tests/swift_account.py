"""Who may sign in to the tests' Swift: apart from the server, which patches the process it runs in."""

ACCESS_KEY = "test:tester"
SECRET_KEY = "testing"
REGION = "us-east-1"
