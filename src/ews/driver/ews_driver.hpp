// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A mailbox on an Exchange server, as the heart sees one (sync/driver.hpp). Nothing above this knows EWS.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ews/driver/driver_state.hpp"
#include "sync/driver.hpp"

namespace syncline::ews {

class EwsDriver final : public sync::Driver {
 public:
  /// `client` speaks for settings.mailbox and must outlive the driver.
  EwsDriver(EwsClient& client, DriverSettings settings);

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
  /// What `claim` would answer; nothing is written.
  Async<sync::Claim> look_at_claim(std::string organisation_id, bool take_over);
  std::uint64_t requests() const override;

 private:
  EwsClient& client_;
  DriverState state_;
};

}  // namespace syncline::ews
