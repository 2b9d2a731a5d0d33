// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/router/route.hpp"

#include <fmt/format.h>

namespace syncline::router {
namespace {

using rules::Field;
using rules::Word;
using enum rules::Word;

struct LegFields {
  std::string_view name;
  Field protocol, auth, host, port, tls;
};
constexpr LegFields kIncoming{"incoming",          Field::prof_in_protocol, Field::prof_auth_in,
                              Field::prof_in_host, Field::prof_in_port,     Field::prof_in_tls};
constexpr LegFields kOutgoing{"outgoing",           Field::prof_out_protocol, Field::prof_auth_out,
                              Field::prof_out_host, Field::prof_out_port,     Field::prof_out_tls};

TlsMode tls_mode(Word word) noexcept {
  if (word == starttls) return TlsMode::starttls;
  return word == none ? TlsMode::none : TlsMode::implicit;
}

class Router {
 public:
  Router(const rules::CheckedAssignment& assignment, const std::optional<model::MailboxFacts>& facts)
      : assignment_(assignment), values_(assignment.values()), facts_(facts) {}

  Result<Route> route() const {
    Route route;
    const bool mail_in = values_.is(Field::req_mail_in, sss);
    const bool mail_out = values_.is(Field::req_mail_out, sss);
    const bool act = values_.is(Field::req_act, sss);
    if (!mail_in && !mail_out && !act) return route;
    if (values_.is(Field::prof_type, none)) {
      return fail(ErrorDomain::input, std::string{kNoProfile},
                  "no profile is chosen; the default profile decides");
    }
    if (values_.is(Field::prof_in_protocol, graph) || values_.is(Field::prof_out_protocol, graph)) {
      return fail(ErrorDomain::input, std::string{kNoDriver},
                  "graph is known by name, but there is no driver for it yet");
    }
    if (mail_in || act) {
      auto leg = route_leg(kIncoming);
      if (!leg) return fail(std::move(leg).error());
      if (mail_in) route.incoming = *leg;
      if (act) route.act = std::move(*leg);
    }
    if (mail_out) {
      auto leg = route_leg(kOutgoing);
      if (!leg) return fail(std::move(leg).error());
      route.outgoing = std::move(*leg);
    }
    return route;
  }

 private:
  Result<LegRoute> route_leg(const LegFields& leg) const {
    LegRoute route;
    route.authentication = values_.word(leg.auth);
    route.why.push_back(fmt::format("type: {} → {} {}", to_string(values_.word(Field::prof_type)), leg.name,
                                    to_string(values_.word(leg.protocol))));
    if (values_.is(leg.protocol, ews)) {
      route_ews(leg, route);
      return route;
    }
    return route_mail(leg, std::move(route));
  }

  void route_ews(const LegFields& leg, LegRoute& route) const {
    route.driver = Driver::ews;
    route.port = static_cast<std::uint16_t>(values_.number(leg.port));
    route.tls = TlsMode::implicit;
    route.autodiscover = values_.is(Field::prof_autodiscover, yes);
    route.mechanism = ews_mechanism(route.authentication);
    const bool app_only = route.mechanism == Mechanism::bearer;
    route.impersonation = app_only || values_.is(Field::prof_impersonation, yes);
    if (route.impersonation) {
      route.why.push_back(app_only ? fmt::format("impersonation: {} is an app-only credential",
                                                 to_string(route.authentication))
                                   : std::string{"impersonation: stated by prof_impersonation"});
    }
    const bool exchange_online_mailbox = values_.is(Field::mbx_host, exchange_online);
    if (!values_.is_empty(leg.host)) {
      route.location = values_.text(leg.host);
      route.why.push_back(fmt::format("override: {} is stated", name_of(leg.host)));
      // The address says which port; the field is about profiles that name one.
      if (found_endpoint() && facts_->ews_endpoint != route.location) {
        route.why.push_back(fmt::format("facts: Autodiscover ({}) found {}, not used", facts_->found_by,
                                        facts_->ews_endpoint));
      }
    } else if (found_endpoint()) {
      route.location = facts_->ews_endpoint;
      route.why.push_back(
          fmt::format("facts: Autodiscover ({}) found {}", facts_->found_by, facts_->ews_endpoint));
    } else if (exchange_online_mailbox) {
      const Word cloud = values_.word(Field::env_cloud);
      route.location = exchange_online_ews(cloud);
      route.why.push_back(fmt::format("preset: exchange_online, {} cloud", to_string(cloud)));
    } else {
      route.why.emplace_back("autodiscover: no location is stated");
    }
  }

  Mechanism ews_mechanism(Word method) const {
    switch (method) {
      case s2s:
      case hma:
      case oauth_cross_tenant:
        return Mechanism::bearer;
      case windows_integrated:
        return Mechanism::negotiate;
      default:
        return values_.is(Field::prof_iis_auth, basic) ? Mechanism::basic : Mechanism::ntlm;
    }
  }

  Result<LegRoute> route_mail(const LegFields& leg, LegRoute route) const {
    const Word protocol = values_.word(leg.protocol);
    const Word cloud = values_.word(Field::env_cloud);
    route.driver = protocol == imap ? Driver::imap : protocol == pop3 ? Driver::pop3 : Driver::smtp;
    route.mechanism = route.authentication == gmail_oauth          ? Mechanism::xoauth2
                      : route.authentication == windows_integrated ? Mechanism::negotiate
                                                                   : Mechanism::password;
    const std::string_view address = values_.text(Field::mbx_address);
    const auto found_host = discovered_host();
    const Word lives_on = found_host.value_or(values_.word(Field::mbx_host));
    if (found_host)
      route.why.push_back(
          fmt::format("facts: Autodiscover ({}) found mbx_host {}", facts_->found_by, to_string(lives_on)));
    // A Gmail profile has Google's locations, whatever the domain of the address: Workspace has its users'
    // own.
    const Preset* preset =
        values_.is(Field::prof_type, gmail) ? preset_for({}, gmail) : preset_for(address, lives_on);
    // No host: there is no preset, or it does not have the protocol.
    PresetEndpoint known;
    if (preset != nullptr) known = endpoint(*preset, protocol, cloud).value_or(PresetEndpoint{});
    const bool is_known = !known.host.empty();
    if (preset != nullptr) {
      const auto at = address.rfind('@');
      const std::string_view domain =
          at == std::string_view::npos ? std::string_view{} : address.substr(at + 1);
      if (!domain.empty()) route.why.push_back(fmt::format("domain: {}", domain));
      route.why.push_back(is_known ? fmt::format("preset: {} ({}:{}, {}), {} cloud", preset->name, known.host,
                                                 known.port, to_string(known.tls), to_string(cloud))
                                   : fmt::format("preset: {} has no {}", preset->name, to_string(protocol)));
    }
    if (!values_.is_empty(leg.host)) {
      route.location = values_.text(leg.host);
      if (is_known && known.host != route.location) {
        route.why.push_back(fmt::format("override: {} is stated", name_of(leg.host)));
      }
    } else if (is_known) {
      route.location = known.host;
    } else {
      return fail(ErrorDomain::input, std::string{kNoLocation},
                  fmt::format("{} is empty and no preset knows this mail host", name_of(leg.host)));
    }
    // The preset speaks for its own server only; what was stated counts everywhere.
    const bool at_preset = is_known && known.host == route.location;
    const bool port_stated = assignment_.given(leg.port);
    route.port =
        at_preset && !port_stated ? known.port : static_cast<std::uint16_t>(values_.number(leg.port));
    if (port_stated && at_preset && known.port != route.port) {
      route.why.push_back(fmt::format("override: {} {} is stated", name_of(leg.port), route.port));
    }
    const bool tls_stated = assignment_.given(leg.tls);
    route.tls = at_preset && !tls_stated && !port_stated ? known.tls : tls_mode(values_.word(leg.tls));
    if (tls_stated && at_preset && known.tls != route.tls) {
      route.why.push_back(fmt::format("override: {} {} is stated", name_of(leg.tls), to_string(route.tls)));
    }
    return route;
  }

  bool found_endpoint() const { return facts_ && !facts_->ews_endpoint.empty(); }

  /// Where discovery says the mailbox lives, as a value of mbx_host; Autodiscover knows Exchange alone.
  std::optional<Word> discovered_host() const {
    if (!facts_) return std::nullopt;
    switch (facts_->location) {
      case model::MailboxLocation::on_premises:
        return exchange_onprem;
      case model::MailboxLocation::online:
        return exchange_online;
      case model::MailboxLocation::other:
        return std::nullopt;
    }
    return std::nullopt;
  }

  const rules::CheckedAssignment& assignment_;
  const rules::FieldValues& values_;
  const std::optional<model::MailboxFacts>& facts_;
};

}  // namespace

std::string_view to_string(Driver driver) noexcept {
  switch (driver) {
    case Driver::ews:
      return "ews";
    case Driver::imap:
      return "imap";
    case Driver::pop3:
      return "pop3";
    case Driver::smtp:
      return "smtp";
  }
  return {};
}

std::string_view to_string(Mechanism mechanism) noexcept {
  switch (mechanism) {
    case Mechanism::bearer:
      return "bearer";
    case Mechanism::ntlm:
      return "ntlm";
    case Mechanism::basic:
      return "basic";
    case Mechanism::negotiate:
      return "negotiate";
    case Mechanism::xoauth2:
      return "xoauth2";
    case Mechanism::password:
      return "password";
  }
  return {};
}

Result<Route> route(const rules::CheckedAssignment& assignment,
                    const std::optional<model::MailboxFacts>& facts) {
  return Router{assignment, facts}.route();
}

}  // namespace syncline::router
