"""Which call records close which open requests?"""
