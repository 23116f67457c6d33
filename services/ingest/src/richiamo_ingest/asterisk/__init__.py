"""What does an Asterisk or a FreePBX say of its calls? Its files, and its live events."""
