"""Testing flows without a cloud: conversations written down beside a flow, coverage, generated and fuzzed conversations.

None of it reaches the layer.
"""
