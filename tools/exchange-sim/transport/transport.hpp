// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Mail between the mailboxes and the rest of the world: an SMTP listener for what comes, a smart host for
// what goes. Both are off unless the settings say otherwise.
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "net/environment.hpp"
#include "tools/exchange-sim/post_office.hpp"
#include "tools/exchange-sim/transport/mail_queue.hpp"
#include "tools/exchange-sim/transport/settings.hpp"
#include "tools/exchange-sim/transport/smtp_server.hpp"

namespace exchange_sim {

class Transport final : private MailTaker {
 public:
  struct Sums {
    std::uint64_t received = 0;     ///< messages that came by SMTP
    std::uint64_t delivered = 0;    ///< copies of them that went into an Inbox
    std::uint64_t handed_over = 0;  ///< recipients the smart host took
    std::uint64_t returned = 0;     ///< non-delivery reports
  };

  /// `domains`: those whose mailboxes are all here (lower case). References must outlive this and what runs
  /// on the executor.
  Transport(net::Environment& environment, TransportSettings settings, std::vector<std::string> domains,
            PostOffice& post_office);
  ~Transport() override;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  /// Opens the listener if the settings ask for one. Error: local, "cannot-listen".
  syncline::Result<void> listen();
  /// 0 without a listener.
  std::uint16_t smtp_port() const noexcept { return server_.port(); }
  SmtpServer& server() noexcept { return server_; }
  /// An empty one: from now on mail for people elsewhere stays where it is, as at the start.
  void set_smart_host(SmartHost smart_host);
  const SmartHost& smart_host() const noexcept { return queue_.smart_host(); }
  std::vector<WaitingMail> waiting() const { return queue_.waiting(); }
  Sums sums() const noexcept;
  void stop();

 private:
  Recipient recipient(std::string_view address) override;
  bool take(ReceivedMail mail) override;
  void send(OutgoingMail mail);
  void give_back(const OutgoingMail& mail, const std::vector<Refusal>& refusals);
  bool is_ours(std::string_view address) const;

  net::Environment& environment_;
  TransportSettings settings_;
  std::set<std::string, std::less<>> domains_;
  PostOffice& post_office_;
  SmtpServer server_;
  MailQueue queue_;
  Sums sums_;
  std::shared_ptr<Transport*> self_;  ///< for what is posted; null inside once this is gone
};

}  // namespace exchange_sim
