// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A mailbox that is sent from, and whose mail comes in by other ways or not at all: nothing to read.
#include <string>
#include <vector>

#include "routing/smtp/driver/sender.hpp"
#include "sync/driver.hpp"

namespace syncline::smtp {

class SendOnlyDriver final : public sync::Driver {
 public:
  /// `sender` must outlive it.
  explicit SendOnlyDriver(Sender& sender) : sender_(sender) {}

  Async<std::vector<sync::RemoteFolder>> folders() override;
  Async<sync::FeedPage> pull(const sync::RemoteFolder& folder, std::string cursor,
                             std::size_t most = sync::most_feed_entries) override;
  Async<std::vector<std::string>> received_since(const sync::RemoteFolder& folder, SystemTime from) override;
  Async<std::vector<sync::RemoteRef>> list(const sync::RemoteFolder& folder) override;
  Async<std::vector<Result<sync::RemoteItem>>> read(model::RecordKind kind, std::vector<std::string> ids,
                                                    bool with_body) override;
  Async<bool> fetch_mime(std::string id, sync::ContentSink& sink, std::uint64_t most_octets) override;
  Async<void> fetch_attachment(std::string attachment_id, sync::ContentSink& sink,
                               std::uint64_t most_octets) override;
  Async<std::optional<sync::RemoteItem>> attached_message(std::string id) override;
  Async<std::optional<Found>> find(model::RecordKind kind, std::string search_key) override;
  /// Only WriteOrder::send; anything else is "gone" (never).
  /// As many as smtp::Sender takes.
  std::size_t sends_at_once() const override { return 2; }
  Async<sync::Applied> apply(const sync::WriteOrder& order, sync::Progress& progress,
                             const sync::OpenContent& content) override;
  Async<sync::RemoteRef> unmark(sync::RemoteRef item, model::RecordKind kind) override;
  /// There is no place for a claim: it is ours.
  Async<sync::Claim> claim(std::string organisation_id, std::string organisation_name,
                           bool take_over) override;
  std::uint64_t requests() const override { return sender_.requests(); }

 private:
  Sender& sender_;
};

}  // namespace syncline::smtp
