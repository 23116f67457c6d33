"""What an Asterisk and a FreePBX write, and a PBX that speaks AMI."""
