// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a server says, typed. RFC 9051 (IMAP4rev2), RFC 3501 (rev1), RFC 7162 (CONDSTORE, QRESYNC), RFC 4731
// (ESEARCH), RFC 4315 (UIDPLUS) and Gmail's extensions.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "routing/imap/body_structure.hpp"
#include "routing/imap/uid_set.hpp"

namespace syncline::imap {

enum class Condition : std::uint8_t { ok, no, bad, bye, preauth };

/// "[COPYUID 38505 304,319:320 3956:3958]": name in upper case, the rest as it came.
struct ResponseCode {
  std::string name = {};
  std::string arguments = {};
  bool is(std::string_view other) const noexcept { return name == other; }
};

struct StatusReply {
  std::string tag = {};  ///< empty: untagged
  Condition condition = Condition::ok;
  ResponseCode code = {};
  std::string text = {};
};

struct ContinuationReply {
  std::string text = {};
};

struct CapabilityReply {
  std::vector<std::string> names = {};  ///< upper case
};
struct EnabledReply {
  std::vector<std::string> names = {};  ///< upper case
};
struct ListReply {
  std::vector<std::string> attributes = {};  ///< lower case, with backslash: "\noselect"
  char delimiter = '\0';                     ///< none: the name space is flat
  std::string name = {};                     ///< as on the wire
  bool subscribed_only = false;              ///< LSUB
};
struct MailboxStatusReply {
  std::string name = {};
  std::map<std::string, std::uint64_t> items = {};  ///< "MESSAGES", "UIDNEXT", …
};
struct SearchReply {
  UidSet numbers = {};
  std::uint64_t modseq = 0;
};
struct EsearchReply {
  std::string tag = {};
  bool uid = false;
  UidSet all = {};
  std::optional<std::uint64_t> count = std::nullopt;
  std::uint64_t modseq = 0;
};
struct FlagsReply {
  std::vector<std::string> flags = {};
};
struct ExistsReply {
  std::uint64_t count = 0;
};
struct ExpungeReply {
  std::uint64_t sequence = 0;
};
struct VanishedReply {
  UidSet uids = {};
  bool earlier = false;
};

/// BODY[section] and its like.
struct FetchedSection {
  std::string name = {};                            ///< as the server spells it: "BODY[HEADER]"
  std::optional<std::string> value = std::nullopt;  ///< where it came in quotes; NIL: nothing
  bool streamed = false;                            ///< came as a literal, in the events before this reply
};

struct FetchReply {
  std::uint64_t sequence = 0;
  Uid uid = 0;  ///< 0: not said
  std::optional<std::vector<std::string>> flags = std::nullopt;
  std::optional<std::uint64_t> modseq = std::nullopt;
  std::optional<std::uint64_t> size = std::nullopt;
  std::optional<SystemTime> internal_date = std::nullopt;
  std::optional<std::uint64_t> gmail_message_id = std::nullopt;
  std::optional<std::uint64_t> gmail_thread_id = std::nullopt;
  std::optional<std::vector<std::string>> gmail_labels = std::nullopt;  ///< modified UTF-7, as on the wire
  std::string email_id = {};                                            ///< RFC 8474
  std::optional<BodyStructure> structure = std::nullopt;
  bool structure_unreadable = false;  ///< nested too deeply, or not after the grammar
  std::vector<FetchedSection> sections = {};
};

/// What this program has no use for: its first word.
struct OtherReply {
  std::string name = {};
};

using Reply = std::variant<OtherReply, StatusReply, ContinuationReply, CapabilityReply, EnabledReply,
                           ListReply, MailboxStatusReply, SearchReply, EsearchReply, FlagsReply, ExistsReply,
                           ExpungeReply, VanishedReply, FetchReply>;

std::string_view to_string(Condition condition) noexcept;

}  // namespace syncline::imap
