"""Conversations: from the first frame of audio to the stored call."""
