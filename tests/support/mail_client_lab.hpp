// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// SMTP's and POP3's clients against real servers.
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "auth/bearer.hpp"
#include "auth/sasl.hpp"
#include "routing/connection/endpoint.hpp"
#include "tests/support/mail_lab.hpp"
#include "tests/support/real_network.hpp"

namespace syncline::testing {

class MailClientLab : public WithMailLab, protected RealNetwork {
 protected:
  MailClientLab() : RealNetwork(MailLab::names()) {}

  mail::Endpoint endpoint(std::uint16_t port, mail::TlsMode tls, std::string host = "localhost") {
    mail::Endpoint made{.host = std::move(host), .port = port, .tls = tls};
    made.policy.ca_file = lab().ca_file();
    return made;
  }

  /// A password or, where it is empty, a token that lives for `lifetime`.
  struct Credentials {
    std::string password = MailLab::password();
    std::chrono::seconds lifetime = std::chrono::hours(1);
    std::vector<std::string> mechanisms = {};
    bool clear_text = false;
  };
  Result<std::unique_ptr<auth::SaslExchange>> choose(const auth::SaslOffer& offer, const std::string& user,
                                                     const Credentials& with) {
    auth::SaslIdentity identity;
    identity.user = user;
    if (with.password.empty())
      identity.token = auth::fixed_token(Secret(lab().token("alice", with.lifetime).value())).value();
    else
      identity.password = Secret(std::string_view(with.password));
    auth::SaslPolicy policy;
    policy.allowed = with.mechanisms;
    policy.clear_text_without_tls = with.clear_text;
    return auth::choose_sasl(offer, identity, policy, pool_);
  }

  static std::string content_of(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

}  // namespace syncline::testing
