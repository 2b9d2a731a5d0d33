// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Fetched messages to items. Small ones are collected and read on a thread of their own while the next
// arrive; large ones are read as their octets come, because nothing of unlimited size is held.
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "auth/blocking_pool.hpp"
#include "routing/imap/driver/item_reader.hpp"
#include "routing/imap/session.hpp"

namespace syncline::imap {

/// Reads "(UID FLAGS INTERNALDATE RFC822.SIZE … BODY.PEEK[…])" replies.
class ReadMessages final : public ReplyHandler {
 public:
  /// Gets what is kept of a message, on the caller's thread.
  using Take = std::function<void(std::string id, KeptContent content)>;
  /// `thread` may be null: all is read where it arrives.
  ReadMessages(ReadTerms terms, Take take, std::shared_ptr<auth::BlockingPool> thread);

  Result<void> on_literal_start(const StreamedLiteral& literal) override;
  Result<void> on_literal_data(std::string_view data) override;
  Result<void> on_reply(Reply& reply) override;

  /// Until all that came is in items(). To be called before they are looked at.
  Async<void> settle();
  /// What came, by UID.
  std::map<Uid, Result<sync::RemoteItem>>& items() noexcept { return items_; }

 private:
  /// A message that has arrived and is not read yet.
  struct Arrived {
    FetchReply reply;
    std::string octets;
  };
  /// Is the thread's from its handing over to the end of settle().
  struct Batch {
    std::shared_ptr<const ReadTerms> terms;
    std::shared_ptr<std::atomic<std::size_t>> unread_octets;  ///< of all batches handed over
    std::vector<Arrived> messages = {};
    std::size_t octets = 0;
    std::vector<Result<ReadItem>> outcomes = {};

    void read();
  };

  void begin_message(std::string_view section, std::uint64_t octets);
  Result<void> end_message(FetchReply& reply);
  Result<void> take(Result<ReadItem> read);
  void hand_over();

  const std::shared_ptr<const ReadTerms> terms_;
  const Take take_;
  const std::shared_ptr<auth::BlockingPool> thread_;
  const std::shared_ptr<std::atomic<std::size_t>> unread_octets_;
  std::optional<ItemReader> reader_ = std::nullopt;      ///< of a message that is read as it comes
  std::optional<std::string> collected_ = std::nullopt;  ///< of one that is read later
  std::shared_ptr<Batch> batch_ = nullptr;
  std::vector<std::shared_ptr<Batch>> handed_over_ = {};
  std::map<Uid, Result<sync::RemoteItem>> items_ = {};
};

}  // namespace syncline::imap
