// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a run would do, without doing it: the real engine on a copy of the database, with a driver that reads
// and writes down what it was asked to write.
#include <memory>
#include <string>
#include <vector>

#include "sync/driver.hpp"

namespace syncline::service {

class DryRunDriver final : public sync::Driver {
 public:
  /// Who holds the mailbox, asked without claiming it.
  using LookAtClaim = std::function<Async<sync::Claim>(std::string organisation_id, bool take_over)>;
  /// `real` must outlive it.
  DryRunDriver(sync::Driver& real, LookAtClaim look_at_claim)
      : real_(real), look_at_claim_(std::move(look_at_claim)) {}

  const std::vector<sync::WriteOrder>& orders() const { return orders_; }

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
  Async<sync::Applied> apply(const sync::WriteOrder& order, sync::Progress& progress,
                             const sync::OpenContent& content) override;
  Async<sync::RemoteRef> unmark(sync::RemoteRef item, model::RecordKind kind) override;
  Async<sync::Claim> claim(std::string organisation_id, std::string organisation_name,
                           bool take_over) override;
  std::uint64_t requests() const override { return real_.requests(); }

 private:
  sync::Driver& real_;
  LookAtClaim look_at_claim_;
  std::vector<sync::WriteOrder> orders_;
};

}  // namespace syncline::service
