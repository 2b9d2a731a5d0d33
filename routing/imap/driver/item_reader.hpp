// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// One fetched message to an item, while its octets come. Shares nothing with other readers: several threads
// may read a message each.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mime/reader.hpp"
#include "routing/imap/driver/message_cache.hpp"
#include "routing/imap/reply.hpp"
#include "sync/driver.hpp"

namespace syncline::imap {

/// "r" or "u": whether it was read is all of a message that changes.
std::string version_of(const std::vector<std::string>& flags);

/// What is the same for all messages of a reading.
struct ReadTerms {
  std::string folder = {};
  std::uint32_t uid_validity = 0;
  bool with_body = true;
  /// What is kept of a whole message of at most `keep_most_octets`: its octets, or its attachments.
  bool keep_as_received = true;
  std::uint64_t keep_most_octets = 0;
};

struct ReadItem {
  Uid uid = 0;
  sync::RemoteItem item = {};
  std::optional<KeptContent> kept = std::nullopt;
};

class ItemReader {
 public:
  /// Of the section's first octet; `terms` must outlive it.
  ItemReader(const ReadTerms& terms, std::string_view section, std::uint64_t octets);
  ItemReader(const ItemReader&) = delete;
  ItemReader& operator=(const ItemReader&) = delete;

  Result<void> feed(std::string_view octets);
  /// After the last octet, with the reply whose section it was.
  Result<ReadItem> finish(const FetchReply& reply);

 private:
  sync::RemoteItem item_of(const FetchReply& reply, const mime::Message& message) const;

  const ReadTerms& terms_;
  const bool is_whole_;
  std::optional<KeptContent> kept_ = std::nullopt;
  std::optional<mime::MessageReader> reader_ = std::nullopt;
};

}  // namespace syncline::imap
