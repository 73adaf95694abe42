"""What the API says and takes, as models: answers are made of them and documented by them."""
