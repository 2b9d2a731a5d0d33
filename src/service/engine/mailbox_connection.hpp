// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A mailbox as a run reaches it: the driver of its route, and what the run tells it and asks of it beside the
// driver's own work.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/async.hpp"
#include "service/engine/connections.hpp"
#include "service/engine/shared_account.hpp"
#include "service/organisation/mailbox_gate.hpp"
#include "sync/driver.hpp"
#include "sync/summary.hpp"

namespace syncline::ews {
class EwsClient;
}
namespace syncline::imap {
class ImapDriver;
}

namespace syncline::service {

class MailboxConnection {
 public:
  virtual ~MailboxConnection() = default;
  virtual sync::Driver& driver() = 0;
  /// What `claim` would answer; nothing is written.
  virtual Async<sync::Claim> look_at_claim(std::string organisation_id, bool take_over) = 0;
  virtual std::string endpoint() const = 0;
  /// "15.2.1544.14", once a server has said so.
  virtual std::string server_version() const { return {}; }
  /// What a write of these last minutes has left in a folder, by the operation's mark; nothing where items
  /// bear none. Errors: those of reading.
  virtual Async<std::vector<sync::RemoteRef>> made_by(std::string operation_id, std::string folder_id) {
    static_cast<void>(operation_id);
    static_cast<void>(folder_id);
    co_return std::vector<sync::RemoteRef>();
  }
  /// The server has let us in: others may use the same account.
  void answered();
  void ended(const Result<sync::MailboxSummary>& outcome);
  /// Ends its sessions in an orderly way.
  virtual Async<void> close() = 0;

  /// How long its server still wants nothing from its credential; nullopt: it has not said such a thing.
  virtual std::optional<std::chrono::milliseconds> pause_left() const { return std::nullopt; }

  // --- for whoever watches the mailbox between its runs ---

  /// Gives up what only a run needs.
  virtual Async<void> rest() { co_return Result<void>{}; }
  /// Others wait until there may be another connection with its credential.
  virtual bool is_wanted() const noexcept { return false; }
  /// Called once, when that comes to be; it is closed then, though not at once. Empty: not any more.
  virtual void when_wanted(std::function<void()> tell) { static_cast<void>(tell); }
  /// Of one that can wait for changes; null: another kind.
  virtual imap::ImapDriver* imap() noexcept { return nullptr; }
  /// Of one on Exchange, whose server streams notifications of it to the account that we sign in with; null:
  /// another kind, or it does not.
  struct Streamable {
    const ews::EwsClient& client;
    net::Environment& environment;
    net::HttpClient& http;
    std::string group;  ///< mailboxes with the same one may share a stream
  };
  virtual std::optional<Streamable> streamable() noexcept { return std::nullopt; }

 protected:
  /// Of a service account, while others wait to see whether it is let in.
  std::optional<SharedAccount::Turn> turn_;
};

/// By EWS if a leg of the mailbox is Exchange's, else by IMAP or POP3 and SMTP. Errors of the vault, of
/// Autodiscover; "bad-settings" (input) for what the profile lacks. `organisation` and `connections` must
/// outlive the connection. `remember`: what Autodiscover finds is kept for later runs.
Async<std::unique_ptr<MailboxConnection>> connect_mailbox(Organisation& organisation,
                                                          Connections& connections,
                                                          const EnabledMailbox& mailbox, bool remember);
/// The same code, for a test: what it sends is not put into the Sent folder.
Async<std::unique_ptr<MailboxConnection>> connect_mailbox(Organisation& organisation,
                                                          Connections& connections,
                                                          const MailboxUnderTest& mailbox);

}  // namespace syncline::service
