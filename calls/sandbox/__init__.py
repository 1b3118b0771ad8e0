"""A telephone network on this machine: a carrier that behaves as Twilio does, and the people whom it reaches.

It runs as a process of its own (``manage.py sandbox``). What these people say stays in it: the web process imports
nothing of here but ``catalogue``, and hears of them what a telephone carries.
"""
