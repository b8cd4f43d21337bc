"""Every bound of the protocol in one place: value, unit and reason.

No other module carries a number of its own. What a receiver does when a bound is exceeded stands
beside each name in spec section 3, which a test compares with this file.
"""

from typing import Final

PROTOCOL_VERSION: Final = 1

# --- encoding ---
INT_MAX: Final = 2**53 - 1  # the largest integer that every language holds exactly in a double
DEPTH_MAX: Final = 16  # nesting of arrays and maps; deepest legal body uses 4
LENGTH_MAX: Final = 4_096  # items of one array or map; bounds what nested empty promises can cost

# --- records ---
ID_SIZE: Final = 32  # bytes of a record id, commons id or public key
LOG_ID_SIZE: Final = 8  # bytes; random, so two incarnations of one author collide once in 2^32 logs
SIGNATURE_SIZE: Final = 64
SALT_SIZE: Final = 16  # bytes; erased words of few possible values must not be guessed back
KIND_SIZE_MAX: Final = 24  # characters of a kind's name
HEADER_SIZE_MAX: Final = 1_024  # bytes; 16 references of 32 bytes and the fixed fields fit
BODY_SIZE_MIN: Final = 25  # bytes: a salt and two empty maps
# A year of a busy collective has 2 MB. So nobody who catches up waits, and nobody fills a disk.
AUTHOR_BURST_MAX: Final = 67_108_864  # bytes of one author that are taken at once
AUTHOR_RATE_PER_HOUR: Final = 1_048_576  # bytes of one author that are taken an hour after that
ERASE_RANGES_MAX: Final = 256  # ranges that one erasure names
ACKNOWLEDGED_MAX: Final = 256  # checkpoints that one acknowledgement names
CONFIRMING_BRANCHES_MIN: Final = 2  # branches of members that must have found a checkpoint right
BODY_SIZE_MAX: Final = 16_384  # bytes of a whole body; a page of text
REFS_MAX: Final = 16
PREDECESSOR_LOGS_MAX: Final = 256  # older logs that an incarnation names

# --- fields ---
NAME_SIZE_MAX: Final = 80  # characters
TEXT_SIZE_MAX: Final = 2_000  # characters of a note
SEALED_SIZE_MAX: Final = 12_288  # bytes of a sealed message; the longest text fits, padded
ADDRESS_SIZE_MAX: Final = 200  # characters of one address
ADDRESSES_MAX: Final = 8
QUANTITY_MAX: Final = 1_000_000_000  # base units; sums over a million of them stay below 2^53
CATEGORY_SIZE_MAX: Final = 40
CARRIER_SIZE_MAX: Final = 24  # characters
SLOTS_MAX: Final = 256  # spans of time in which one thing is lent; ten days by the hour fit
AUDIENCE_MAX: Final = 128  # collectives that an offer is for; more of them are everybody
SUBSTITUTES_MAX: Final = 8  # categories or groups that would do as well
RANK_MAX: Final = 99  # of a claim; nobody tells the hundredth choice from the next
GUARDIANS_MAX: Final = 32  # members who speak for a party

# --- sessions ---
FRAME_SIZE_MAX: Final = 1_048_576  # bytes of one WebSocket message, tag included
HANDSHAKE_SIZE_MAX: Final = 1_024  # bytes of one handshake message
HANDSHAKE_TIMEOUT_MS: Final = 10_000
RUN_SIZE_MAX: Final = 262_144  # bytes of records in one RECORDS or PUSH frame; a frame holds more
RUN_RECORDS_MAX: Final = 4_096
RUN_CHECKS_MAX: Final = 256  # signatures tried, from the end of a run, before it counts as forged
HEADS_PER_FRAME_MAX: Final = 4_096
DIGEST_SIZE: Final = 16  # bytes of the digest of all heads
BUCKET_DIGEST_SIZE: Final = 8  # bytes; equal by chance once in 2^64, and healed by the next session
BASE_ID_SIZE: Final = 8  # bytes of an equal digest, by which both sides name it later
BASES_MAX: Final = 256  # members of whom it is remembered at what time they held the same
LOGS_BUCKETED_MIN: Final = 64  # with more logs bucket digests come before heads
LOGS_FINELY_BUCKETED_MIN: Final = 1_024
BUCKETS_FEW: Final = 64
BUCKETS_MANY: Final = 256
WANTS_PER_FRAME_MAX: Final = 256
AUTHORS_PER_FRAME_MAX: Final = 256  # of one PRUNE or GRAFT
PUSH_RECORDS_MAX: Final = 256
REPEATED_RECORDS_MAX: Final = 16_384  # pushed by one member though they were here, at once
REPEATED_RATE_PER_S: Final = 100  # more of them each second, and one for each that is news
PROOF_HASHES_MAX: Final = 128  # beside some leaves of a tree; two for each bit of its size
EVIDENCE_RECORDS_MAX: Final = 256  # in one EVIDENCE
EVIDENCE_ROWS_MAX: Final = 131_072  # keys and checkpoints named in what one link showed: 15 MB
EVIDENCE_CHUNKS_MAX: Final = 4_096  # of one bundle; as many records as may be named anyway
CHAIN_RECORDS_MAX: Final = 64  # vouches from the founder to a member, in a greeting
WANT_TIMEOUT_MS: Final = 20_000  # after this a WANT is asked of somebody else
RECONCILE_INTERVAL_MS: Final = 30_000  # stores are compared with one random neighbour, +-50 %
HEADS_DELAY_MS: Final = 200  # newly stored heads are told together
ANNOUNCE_DELAY_MS: Final = 600  # those of what is pushed anyway
GRAFT_DELAY_MS: Final = 500  # what was announced is asked for if it is not pushed meanwhile
GRAFT_DELAY_MAX_MS: Final = 5_000  # the same on a slow link

PRESENCE_INTERVAL_MS: Final = 30_000  # each member says a word so often, +-12.5 %, or
PRESENCE_SPACING_MS: Final = 1_000  # so often times the members: so all together one a second
PRESENCE_SOON_MS: Final = 5_000  # after the first link, +100 %; and between rest and the next word
PRESENCE_SKEW_MAX_MS: Final = 86_400_000  # a day; clocks differ, and old words may be said again
PRESENCE_ROUND_MS: Final = 10_000  # a word that shows another store leads to one comparison in it
HEADS_MARK_SIZE: Final = 8  # bytes of a short digest of all heads
FEATURES_MAX: Final = 16  # versions, and as many features, in one word
FEATURE_SIZE_MAX: Final = 24  # characters

# Frames of each type that one link may send within a window (spec 9.5). Announcing is cheap to
# send and to check; joining is not, and a joiner needs it once.
RATE_WINDOW_MS: Final = 10_000
RATE_HEADS_MAX: Final = 400
RATE_WANT_MAX: Final = 400
RATE_DIGEST_MAX: Final = 20  # each costs a hash over all heads
RATE_RECORDS_MAX: Final = 4_000
RATE_PUSH_MAX: Final = 4_000
RATE_PUSHED_RECORDS_MAX: Final = 65_536  # records in all PUSH: each costs 25 us to read
RATE_ANNOUNCE_MAX: Final = 400
RATE_ROWS_MAX: Final = 262_144  # rows of all HEADS, ANNOUNCE and CHANGES: four times all logs
RATE_TREE_MAX: Final = 1_000  # PRUNE, and as many GRAFT
RATE_FORMS_MAX: Final = 400  # SEEK, and as many of FORMS, QUERY and EVIDENCE each
RATE_JOIN_MAX: Final = 3
RATE_PRESENCE_MAX: Final = 200

# --- memory ---
GAP_RECORDS_MAX: Final = 4_096  # out-of-order records held for all logs together
GAP_SIZE_MAX: Final = 8_388_608  # bytes of them
PUBLISH_QUEUE_MAX: Final = 4_096  # own records that wait for the store
INVITES_MAX: Final = 1_000  # outstanding invites of one node
INVITE_SECRET_SIZE: Final = 16
INVITE_SIZE_MAX: Final = 2_048  # bytes of a decoded invite

PEER_HEADS_MAX: Final = 65_536  # logs remembered of what one peer told: 16 MB
STRANGER_HEADS_MAX: Final = 8_192  # the same of one whose vouches are not here
WANTS_IN_FLIGHT_MAX: Final = 2  # unanswered WANTs on one link: one on the way, one being read
READS_PER_LINK_MAX: Final = 4  # WANTs of one link that wait for the own store

PROGRESS_RECORDS_MIN: Final = 1_000  # of which people are told while they are fetched
PROGRESS_INTERVAL_MS: Final = 1_000  # so often at most, if there are many logs to look at for it
STAGED_RECORDS_MIN: Final = 1_000  # that a peer is ahead; then the most important is asked first
STAGES_KEPT_MS: Final = 10_000  # so long what is important is not looked up again
LATE_MIN_MS: Final = 250  # a timer that fires so late shows that the node itself is slow
LOCAL_HEALTH_MAX: Final = 7  # then timeouts are eight times as long
STORE_PAUSE_MS: Final = 5_000  # rest after the store failed, before more is asked of it

# --- own records ---
TURN_MAX_MS: Final = 1_000  # so long at most a request waits for a node's turn to grant to it
STEWARD_DELAY_MS: Final = 100  # allocation waits so long after a change, and takes all at once
STEWARD_DRAFTS_MAX: Final = 64  # records that the allocator writes in one round
ACKNOWLEDGE_WITHIN_MS: Final = 604_800_000  # a week, so that one record tells of many checkpoints
ACCEPT_WITHIN_MS: Final = 259_200_000  # three days; then a grant without an answer is taken back
LAPSE_PAUSE_MAX_MS: Final = 2_592_000_000  # 30 days; nobody is passed by for longer in one go
UNCONFIRMED_AFTER_MS: Final = 259_200_000  # three days; then the other side has had its time
FORK_DELAY_MAX_MS: Final = 2_000  # a proof is held back so long at most; others find the same fork
LEASE_MARGIN_MS: Final = 60_000  # holder's and issuer's clocks may differ by so much

# --- bundles ---
CHUNK_SIZE_MAX: Final = 1_048_576  # bytes of one chunk's payload; as much as one RECORDS may hold
BUNDLE_CHUNKS_MAX: Final = 4_194_304  # chunks of one bundle: a terabyte of full ones
BUNDLE_ID_SIZE: Final = 8  # bytes; random, so that chunks of two bundles are told apart

# --- overlay ---
DEGREE_TARGET: Final = 6  # links that a node tries to keep
DEGREE_HIGH: Final = 12  # links of members above which a node lets go of one that it dialled
DEGREE_OUTBOUND: Final = 2  # links that a node dialled and keeps: nobody can crowd it in
DEGREE_MAX: Final = 32  # links of members that a node accepts
LINK_AGE_MIN_MS: Final = 300_000  # of a link that others opened, before it makes room for another
REGION_CELL: Final = 500_000  # 0.05 degree, about 5 km: members whose places share such a cell
UNPROVEN_MAX: Final = 24  # links on which nobody has greeted yet; the oldest makes room
DIAL_RANDOM_INTERVAL_MS: Final = 30_000  # one random unconnected member, for ever, +-50 %
DIAL_RANDOM_INTERVAL_MAX_MS: Final = 480_000  # the same, where no dial failed and no link broke
REDIAL_DELAY_MS: Final = 500  # first pause after a failed dial; doubles
REDIAL_DELAY_MAX_MS: Final = 15_000  # a healed link is found again within this time

# --- restore gate ---
GATE_CONFIRMATIONS: Final = 2  # peers that must have shown what they hold of one's own logs

# --- sharing: caps on inputs, so that every intermediate of a score stays below 2^53 ---
METRES_MAX: Final = 20_000_000  # half way round the world
SECONDS_MAX: Final = 10_000_000_000  # 317 years; waiting times and times to expiry
MEMBERS_MAX: Final = 1_000_000  # of one collective
MEMBERS_SUM_MAX: Final = 1_000_000_000_000  # of all collectives together
RECEIVED_MAX: Final = 10_000_000_000  # milli-person-days by one collective in the window
SUM_MAX: Final = 1_000_000_000_000_000  # any other sum stops here
CARBON_FACTOR_MAX: Final = 4_000_000  # mg CO2e per tonne and km; a car with one small parcel
GRAMS_MAX: Final = 100_000_000  # weight of 1,000 base units; a piece may weigh 100 kg
STEPS_MAX: Final = 1_000  # parts into which an offer is cut when it is handed out
POLICY_SIZE_MAX: Final = 12_288  # bytes; a record that carries a policy has room for more
POLICY_ROWS_MAX: Final = 256  # of one table of a policy

SCORE_MAX: Final = 1_000_000  # of a thousand weights and factors of a thousand
GATES_MAX: Final = 1_023  # bits, one for each gate and each floor
HEAD_PREFIX_SIZE: Final = 8  # bytes of a hash that name a log or a record in a view
VIEW_HEADS_MAX: Final = 256  # heads in one record; more go into `view` records before it
DECISION_ROWS_MAX: Final = 64  # candidates that a decision shows; a digest stands for the others
REASON_SIZE_MAX: Final = 400  # characters; why a person decided otherwise

# --- audit ---
AUDIT_SUM_MAX: Final = 9_000_000_000_000  # sums stop here; a thousand times as much is below 2^53
AUDIT_VALUES_MAX: Final = 900_000  # values of which one coefficient is taken
MASS_MAX_G: Final = 400_000_000  # of what one grant moves; times half the world below 2^53
HEALTH_WINDOW_MS: Final = 2_592_000_000  # 30 days; older observations say nothing of today
HEALTH_OBSERVERS_MIN: Final = 2  # independent ones of an indicator
HEALTH_KNOWN_MIN: Final = 3  # indicators of five, below which a place's health is unknown
