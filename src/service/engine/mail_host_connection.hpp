// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// From an enabled mailbox on a mail host to a driver: IMAP or POP3 in, SMTP out; credentials out of the
// vault.
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "routing/imap/driver/imap_driver.hpp"
#include "routing/pop3/driver/pop3_driver.hpp"
#include "routing/smtp/driver/send_only_driver.hpp"
#include "routing/smtp/driver/sender.hpp"
#include "service/engine/mailbox_connection.hpp"
#include "service/engine/shared_account.hpp"

namespace syncline::service {

class MailHostConnection final : public MailboxConnection {
 public:
  /// Errors of the vault and of token sources; "no-driver", "bad-settings" (input). Nothing is connected yet.
  /// `organisation` and `connections` must outlive it.
  static Async<std::unique_ptr<MailHostConnection>> open(Organisation& organisation, Connections& connections,
                                                         const AdmittedMailbox& mailbox,
                                                         bool keeps_sent_copies = true);

  sync::Driver& driver() override;
  /// Mail hosts have no place for a claim.
  Async<sync::Claim> look_at_claim(std::string organisation_id, bool take_over) override;
  std::string endpoint() const override { return endpoint_; }
  Async<void> close() override;
  Async<void> rest() override;
  /// Not of a service account: each would hold one of the profile's connections for good.
  imap::ImapDriver* imap() noexcept override { return is_of_profile_ ? nullptr : imap_.get(); }
  bool is_wanted() const noexcept override { return place_ && place_->is_wanted(); }
  void when_wanted(std::function<void()> tell) override {
    if (place_) place_->when_wanted(std::move(tell));
  }

 private:
  MailHostConnection();

  std::string endpoint_;
  bool is_of_profile_ = false;  ///< the profile holds the credentials
  /// For mail coming in, as long as this lives: whoever sends has it already, so nobody waits for the other.
  std::optional<ConnectionPlaces::Place> place_;
  std::unique_ptr<smtp::Sender> sender_;
  std::function<Result<void>(bool server_saves)> learned_copies_;
  /// One of them.
  std::unique_ptr<imap::ImapDriver> imap_;
  std::unique_ptr<pop3::Pop3Driver> pop3_;
  std::unique_ptr<smtp::SendOnlyDriver> send_only_;
};

}  // namespace syncline::service
