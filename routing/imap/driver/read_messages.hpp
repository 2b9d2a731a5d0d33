// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Fetched messages to items, while they arrive: the octets are read as they come, and what will be asked for
// next is kept where there is room for it.
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "mime/reader.hpp"
#include "routing/imap/driver/item_id.hpp"
#include "routing/imap/driver/message_cache.hpp"
#include "routing/imap/session.hpp"
#include "sync/driver.hpp"

namespace syncline::imap {

/// "r" or "u": whether it was read is all of a message that changes.
std::string version_of(const std::vector<std::string>& flags);

/// Reads "(UID FLAGS INTERNALDATE RFC822.SIZE … BODY.PEEK[…])" replies.
class ReadMessages final : public ReplyHandler {
 public:
  /// What of a whole message of at most `most_octets` is given to `take`: its octets, or its attachments.
  struct Keep {
    bool as_received = true;
    std::uint64_t most_octets = 0;
    std::function<void(std::string id, KeptContent content)> take;
  };
  ReadMessages(std::string folder, std::uint32_t uid_validity, bool with_body, Keep keep)
      : folder_(std::move(folder)),
        uid_validity_(uid_validity),
        with_body_(with_body),
        keep_(std::move(keep)) {}

  Result<void> on_literal_start(const StreamedLiteral& literal) override;
  Result<void> on_literal_data(std::string_view data) override;
  Result<void> on_reply(Reply& reply) override;

  /// What came, by UID.
  std::map<Uid, Result<sync::RemoteItem>>& items() noexcept { return items_; }

 private:
  void begin_message(std::string_view section, std::uint64_t octets);
  sync::RemoteItem item_of(FetchReply& reply, const mime::Message& message, bool is_whole) const;

  std::string folder_;
  std::uint32_t uid_validity_;
  bool with_body_;
  Keep keep_;
  std::optional<mime::MessageReader> reader_;
  KeptContent content_;
  bool keeping_ = false;
  std::map<Uid, Result<sync::RemoteItem>> items_;
};

}  // namespace syncline::imap
