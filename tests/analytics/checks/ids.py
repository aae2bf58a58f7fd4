"""What a check said, as short as a test can compare it."""


def ids(messages):
    return [message.id.removeprefix("analytics.") for message in messages]
