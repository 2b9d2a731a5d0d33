// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/transport/transport.hpp"

#include <boost/asio/post.hpp>

#include "base/text.hpp"

namespace exchange_sim {

namespace text = syncline::text;
using syncline::Result;

std::optional<SmartHost> parse_smart_host(std::string_view given) {
  SmartHost out;
  std::string_view host = given;
  std::string_view port;
  if (given.starts_with('[')) {
    const std::size_t end = given.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    host = given.substr(1, end - 1);
    port = given.substr(end + 1);
    if (host.empty() || (!port.empty() && !port.starts_with(':'))) return std::nullopt;
  } else if (const std::size_t colon = given.find(':'); colon != std::string_view::npos) {
    host = given.substr(0, colon);
    port = given.substr(colon);
    if (host.empty()) return std::nullopt;
  }
  if (host.find_first_of(" \t\r\n/@") != std::string_view::npos) return std::nullopt;
  if (!port.empty()) {
    const auto number = text::parse_int(port.substr(1));
    if (!number || *number < 1 || *number > 65535) return std::nullopt;
    out.port = static_cast<std::uint16_t>(*number);
  }
  out.host = host;
  return out;
}

std::string to_string(const SmartHost& smart_host) {
  if (smart_host.empty()) return {};
  const bool is_v6 = smart_host.host.find(':') != std::string::npos;
  return (is_v6 ? '[' + smart_host.host + ']' : smart_host.host) + ':' + std::to_string(smart_host.port);
}

Transport::Transport(net::Environment& environment, TransportSettings settings,
                     std::vector<std::string> domains, PostOffice& post_office)
    : environment_(environment),
      settings_(std::move(settings)),
      domains_(domains.begin(), domains.end()),
      post_office_(post_office),
      server_(environment,
              {.host_name = settings_.host_name,
               .limits = {.message_octets = settings_.message_octets, .recipients = settings_.recipients},
               .idle = settings_.idle,
               .connections = settings_.connections},
              *this),
      queue_(environment, settings_,
             [this](const OutgoingMail& mail, const std::vector<Refusal>& refusals) {
               give_back(mail, refusals);
             }),
      self_(std::make_shared<Transport*>(this)) {
  set_smart_host(settings_.smart_host);
}

Transport::~Transport() {
  stop();
  *self_ = nullptr;
}

Result<void> Transport::listen() {
  if (!settings_.smtp_port) return {};
  return server_.listen(*settings_.smtp_port);
}

void Transport::set_smart_host(SmartHost smart_host) {
  if (smart_host.empty()) {
    post_office_.on_outgoing({});
  } else {
    // Later: now a request is being handled, and what comes back would change the mailbox under it.
    post_office_.on_outgoing([executor = environment_.executor, self = self_](OutgoingMail mail) {
      net::asio::post(executor, [self, mail = std::move(mail)]() mutable {
        if (*self != nullptr) (*self)->send(std::move(mail));
      });
    });
  }
  queue_.set_smart_host(std::move(smart_host));
}

Transport::Sums Transport::sums() const noexcept {
  Sums sums = sums_;
  sums.handed_over = queue_.handed_over();
  return sums;
}

void Transport::stop() {
  post_office_.on_outgoing({});
  server_.stop();
  queue_.stop();
}

bool Transport::is_ours(std::string_view address) const {
  return domains_.contains(text::to_lower_ascii(address.substr(address.rfind('@') + 1)));
}

MailTaker::Recipient Transport::recipient(std::string_view address) {
  if (!post_office_.mailbox_of(address).empty()) return Recipient::ours;
  return is_ours(address) ? Recipient::unknown : Recipient::elsewhere;
}

bool Transport::take(ReceivedMail mail) {
  std::set<std::string> mailboxes;
  for (const std::string& address : mail.to) {
    const std::string mailbox = post_office_.mailbox_of(address);
    // Gone since RCPT: the sender learns it at the next attempt, and nobody gets the message twice.
    if (mailbox.empty()) return false;
    mailboxes.insert(mailbox);
  }
  for (const std::string& mailbox : mailboxes)
    if (post_office_.deliver(mailbox, mail.content)) ++sums_.delivered;
  ++sums_.received;
  return true;
}

void Transport::send(OutgoingMail mail) {
  std::vector<std::string> elsewhere;
  std::vector<Refusal> unknown;
  for (std::string& recipient : mail.to) {
    if (is_ours(recipient)) {
      unknown.push_back(
          {std::move(recipient),
           {550, "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup"}});
    } else {
      elsewhere.push_back(std::move(recipient));
    }
  }
  if (!unknown.empty()) give_back(mail, unknown);
  mail.to = std::move(elsewhere);
  if (!mail.to.empty()) queue_.add(std::move(mail));
}

void Transport::give_back(const OutgoingMail& mail, const std::vector<Refusal>& refusals) {
  const bool is_own = is_ours(refusals.front().recipient);
  const ReportNames names{.reporting_host = settings_.host_name,
                          .remote_host = is_own ? std::string() : queue_.smart_host().host,
                          .unique = environment_.random.uuid()};
  const std::string report = non_delivery_report(mail, refusals, names, environment_.clock.now());
  if (post_office_.deliver(mail.from, report)) ++sums_.returned;
}

}  // namespace exchange_sim
