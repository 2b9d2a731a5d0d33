// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a mailbox held when it was last looked at: the cursor of a POP3 folder. Its text has a line for each
// message.
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.hpp"

namespace syncline::pop3 {

struct KnownMessage {
  std::string id = {};  ///< ours: header hash and listing hash of when it was first seen; never changes
  std::uint64_t octets = 0;
  std::string uid = {};  ///< the server's, as of the last look; empty: it has none, or not one of its own
};

class KnownMessages {
 public:
  /// An empty text is an empty mailbox. Error mail "bad-cursor" (resync): it is not ours.
  static Result<KnownMessages> parse(std::string_view text);
  std::string text() const;

  void add(KnownMessage message) { all_.push_back(std::move(message)); }
  std::vector<KnownMessage>& all() noexcept { return all_; }
  const std::vector<KnownMessage>& all() const noexcept { return all_; }

 private:
  std::vector<KnownMessage> all_;
};

/// The part of an id that is the header's hash.
std::string_view header_part(std::string_view id) noexcept;
/// Instead of a header's hash, of a message that the server did not let us read.
inline constexpr std::string_view unread_header = "-----------";

}  // namespace syncline::pop3
