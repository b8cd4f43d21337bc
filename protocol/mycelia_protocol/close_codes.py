"""Why links are closed: codes of spec appendix C.2. WebSocket keeps 4000-4999 for applications."""

from typing import Final

CLOSE_RESTING: Final = 4000  # the node stops on purpose
CLOSE_FRAME: Final = 4001  # a frame that can't be read or is not legal here
CLOSE_FORGED: Final = 4002  # records that nothing authenticates
CLOSE_STRANGER: Final = 4003  # the key is on nobody's roster, and no invite was shown
CLOSE_RATE: Final = 4004  # more frames of a type than allowed
CLOSE_DUPLICATE: Final = 4005  # the two nodes have another link
CLOSE_HANDSHAKE: Final = 4006  # the handshake failed: other commons, version, or key
CLOSE_TIMEOUT: Final = 4007  # the handshake took too long
CLOSE_FULL: Final = 4008  # too many links; try another member
CLOSE_SLOW: Final = 4009  # the peer did not take what it asked for
CLOSE_DONE: Final = 4010  # a join was answered
CLOSE_SPARE: Final = 4011  # the dialler has links enough; nothing is wrong with this one
