// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A POP3 mailbox as the heart sees one (sync/driver.hpp): one folder, mail only, nothing to be written but
// deletions.
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "routing/pop3/driver/message_reader.hpp"
#include "routing/pop3/driver/remote_mailbox.hpp"

namespace syncline::pop3 {

struct DriverSettings {
  MailboxSettings mailbox = {};
  /// The organisation processes mail from some date on (policies' process_from): a pull then fetches headers
  /// only, and remembers when messages were received. Otherwise it fetches whole messages, each once.
  bool by_date = false;
};

class Pop3Driver final : public sync::Driver {
 public:
  /// `environment` must outlive it. `send` may be empty: nothing goes out.
  Pop3Driver(net::Environment& environment, DriverSettings settings, std::unique_ptr<MessageReader> reader,
             sync::SendMail send = {});

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
  /// As many as smtp::Sender takes.
  std::size_t sends_at_once() const override { return 2; }
  Async<sync::Applied> apply(const sync::WriteOrder& order, sync::Progress& progress,
                             const sync::OpenContent& content) override;
  Async<sync::RemoteRef> unmark(sync::RemoteRef item, model::RecordKind kind) override;
  /// A mailbox by POP3 has no place for a claim: it is whoever's has the password.
  Async<sync::Claim> claim(std::string organisation_id, std::string organisation_name,
                           bool take_over) override;
  std::uint64_t requests() const override;

  /// Ends the session: the server's lock on the mailbox goes with it. At the end of a run.
  Async<void> close();

 private:
  Async<void> into_spool(std::vector<std::string> ids, bool header_only);
  Async<std::unique_ptr<sync::ContentSource>> whole(std::string id);
  Result<sync::RemoteItem> read_spooled(const std::string& id, bool with_body);
  sync::RemoteItem item_of(const std::string& id, ReadMail mail) const;
  Result<void> remember_dates(const std::vector<std::size_t>& places);
  Async<sync::Applied> remove(const sync::WriteOrder& order);

  DriverSettings settings_;
  std::unique_ptr<MessageReader> reader_;
  sync::SendMail send_;
  RemoteMailbox mailbox_;
  bool fresh_ = false;                                     ///< the listing is this run's
  std::unordered_map<std::string, std::string> received_;  ///< id → RFC 3339
};

}  // namespace syncline::pop3
