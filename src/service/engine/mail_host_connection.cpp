// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/engine/mail_host_connection.hpp"

#include <algorithm>

#include "auth/sasl.hpp"
#include "base/text.hpp"
#include "routing/pop3/driver/mime_reader.hpp"
#include "routing/router/presets.hpp"
#include "routing/smtp/driver/mime_composer.hpp"
#include "service/engine/leg_credentials.hpp"
#include "service/engine/mailbox_state.hpp"
#include "service/organisation/mailbox_token.hpp"
#include "service/organisation/organisation.hpp"

namespace syncline::service {

namespace {

unexpected<Error> bad_settings(std::string message) {
  return fail(ErrorDomain::input, "bad-settings", std::move(message));
}

mail::TlsMode tls_mode_of(router::TlsMode mode) {
  switch (mode) {
    case router::TlsMode::implicit:
      return mail::TlsMode::implicit;
    case router::TlsMode::starttls:
      return mail::TlsMode::starttls;
    case router::TlsMode::none:
      return mail::TlsMode::none;
  }
  return mail::TlsMode::implicit;
}

mail::Endpoint endpoint_of(const router::LegRoute& leg, const model::Profile& profile,
                           std::shared_ptr<RequestTimes> answer_times) {
  return {.host = leg.location,
          .port = leg.port,
          .tls = tls_mode_of(leg.tls),
          .policy = {.ca_file = profile.ca_file.value_or("")},
          .answer_times = std::move(answer_times)};
}

/// "imaps://imap.gmail.com:993": with an s where TLS is from the first octet.
std::string url_of(std::string_view scheme, const router::LegRoute& leg) {
  std::string url(scheme);
  if (leg.tls == router::TlsMode::implicit) url += "s";
  return url + "://" + leg.location + ":" + std::to_string(leg.port);
}

/// How a leg signs in.
struct SignIn {
  bool is_wanted = true;  ///< false: the server lets everybody in
  auth::SaslIdentity identity = {};
  auth::SaslPolicy policy = {};
  model::AuthenticationProtocol protocol = model::AuthenticationProtocol::automatic;
};

class SignInMaker {
 public:
  SignInMaker(Organisation& organisation, Connections& connections, Connections::Network& network,
              const AdmittedMailbox& mailbox)
      : organisation_(organisation), connections_(connections), network_(network), mailbox_(mailbox) {}

  Result<SignIn> make(const router::LegRoute& leg, Direction direction) {
    SignIn made;
    made.protocol = authentication_protocol(mailbox_.profile(), direction);
    made.policy.allowed = mechanisms_of(made.protocol);
    // Whoever has turned TLS off in the profile has been told what that means by the rules.
    made.policy.clear_text_without_tls = leg.tls == router::TlsMode::none;
    made.policy.fips = connections_.fips();
    if (leg.authentication == rules::Word::anonymous || leg.authentication == rules::Word::none) {
      made.is_wanted = false;
      return made;
    }
    made.identity.user = user_of(leg, direction);
    if (made.identity.user.empty())
      return bad_settings("the profile " + mailbox_.profile().name + " names no user to sign in as");
    if (leg.mechanism == router::Mechanism::xoauth2 || leg.mechanism == router::Mechanism::bearer) {
      auto shared = token();
      if (!shared) return fail(std::move(shared.error()));
      made.identity.token = std::move(*shared);
      return made;
    }
    if (leg.authentication == rules::Word::windows_integrated) {
      made.identity.integrated = auth::KerberosCredentials{};
      return made;
    }
    auto password = password_of(leg, direction);
    if (!password) return fail(std::move(password.error()));
    made.identity.password = std::move(*password);
    return made;
  }

 private:
  std::string user_of(const router::LegRoute& leg, Direction direction) const {
    if (leg.authentication != rules::Word::profile_credentials) return mailbox_.mailbox().login();
    const auto& stated = direction == Direction::outgoing ? mailbox_.profile().outgoing_user_name()
                                                          : mailbox_.profile().incoming.user_name;
    return stated.value_or("");
  }

  Result<Secret> password_of(const router::LegRoute& leg, Direction direction) {
    const bool of_profile = leg.authentication == rules::Word::profile_credentials;
    const vault::Account account{.kind = of_profile ? "profile" : "mailbox",
                                 .name = of_profile ? mailbox_.profile().name : mailbox_.address()};
    for (const std::string& field : password_kinds(mailbox_.profile(), direction)) {
      auto kept = organisation_.secrets().get(secret_key({.account = account, .field = field}));
      if (!kept) return fail(std::move(kept.error()));
      if (*kept) return std::move(**kept);
    }
    return bad_settings("there is no password for " + mailbox_.address() + "; syncline secret set");
  }

  /// One source for both directions, so that a renewal is asked for once.
  Result<std::shared_ptr<auth::TokenSource>> token() {
    if (token_) return token_;
    net::Environment& world = network_.environment();
    auto made = mailbox_token(
        organisation_,
        {.executor = world.executor, .http = *network_.http, .clock = world.clock, .random = world.random},
        mailbox_.profile(), mailbox_.address());
    if (!made) return fail(std::move(made.error()));
    token_ = std::move(*made);
    return token_;
  }

  Organisation& organisation_;
  Connections& connections_;
  Connections::Network& network_;
  const AdmittedMailbox& mailbox_;
  std::shared_ptr<auth::TokenSource> token_;
};

mail::ChooseSasl chooser_of(SignIn sign_in, std::shared_ptr<auth::BlockingPool> blocking) {
  if (!sign_in.is_wanted) return {};
  return [sign_in = std::move(sign_in), blocking = std::move(blocking)](const auth::SaslOffer& offer) {
    return auth::choose_sasl(offer, sign_in.identity, sign_in.policy, blocking);
  };
}

/// Whether what is sent through this host stands in Sent Items by itself.
Result<smtp::SentCopies> sent_copies_of(Organisation& organisation, const AdmittedMailbox& mailbox,
                                        const std::string& smtp_host) {
  const auto stated = mailbox.profile().sent_copies;
  if (stated && *stated != smtp::SentCopies::automatic) return *stated;
  if (mailbox.profile().type == model::ServerType::gmail) return smtp::SentCopies::server;
  for (const router::Preset& preset : router::presets())
    if (preset.smtp && text::equals_ignore_case(preset.smtp->host, smtp_host))
      if (preset.saves_sent_copies) return smtp::SentCopies::server;
  auto learned = known_sent_copies(organisation, mailbox.address(), smtp_host);
  if (!learned) return fail(std::move(learned.error()));
  if (!*learned) return smtp::SentCopies::automatic;
  return **learned ? smtp::SentCopies::server : smtp::SentCopies::append;
}

smtp::SessionPlaces session_places(std::shared_ptr<ConnectionPlaces> places, std::size_t most) {
  return {.take = [places, most]() -> Async<smtp::SessionPlaces::Place> {
            auto place = co_await places->take(most);
            if (!place) co_return fail(std::move(place.error()));
            co_return std::make_shared<ConnectionPlaces::Place>(std::move(*place));
          },
          .try_take = [places, most]() -> smtp::SessionPlaces::Place {
            auto place = places->try_take(most);
            return place ? std::make_shared<ConnectionPlaces::Place>(std::move(*place)) : nullptr;
          }};
}

bool is_of_profile(const std::optional<router::LegRoute>& leg) {
  return leg && leg->authentication == rules::Word::profile_credentials;
}

}  // namespace

MailHostConnection::MailHostConnection() = default;

Async<std::unique_ptr<MailHostConnection>> MailHostConnection::open(Organisation& organisation,
                                                                    Connections& connections,
                                                                    const AdmittedMailbox& mailbox,
                                                                    bool keeps_sent_copies) {
  const router::Route& route = mailbox.route();
  if (!route.incoming && !route.outgoing)
    co_return fail(ErrorDomain::input, "no-driver", "no leg of " + mailbox.address() + " is the server's");
  auto known = connections.network_of(mailbox.profile());
  if (!known) co_return fail(std::move(known.error()));
  Connections::Network& network = **known;
  net::Environment& world = network.environment();
  SignInMaker sign_ins(organisation, connections, network, mailbox);
  std::unique_ptr<MailHostConnection> made(new MailHostConnection);
  if (is_of_profile(route.incoming) || is_of_profile(route.outgoing)) {
    const std::shared_ptr<SharedAccount> account = connections.service_account_of(mailbox.profile());
    made->is_of_profile_ = true;
    auto turn = co_await account->take_turn(world.clock);
    if (!turn) co_return fail(std::move(turn.error()));
    made->turn_.emplace(std::move(*turn));
  }
  const std::shared_ptr<ServerTimes> times = connections.server_times();
  std::optional<std::chrono::milliseconds> patience;
  if (const int stated = mailbox.profile().timeout_ms.value_or(0); stated > 0)
    patience = std::chrono::milliseconds(stated);
  const std::size_t most = Connections::most_connections(mailbox.profile());

  // The connection stays where it is: the drivers' functions may point into it.
  MailHostConnection* const self = made.get();
  sync::SendMail send;
  if (route.outgoing) {
    auto sign_in = sign_ins.make(*route.outgoing, Direction::outgoing);
    if (!sign_in) co_return fail(std::move(sign_in.error()));
    smtp::SenderSettings settings;
    settings.session.endpoint = endpoint_of(*route.outgoing, mailbox.profile(), {times, &times->smtp});
    settings.address = mailbox.address();
    made->endpoint_ = url_of("smtp", *route.outgoing);
    settings.places = session_places(connections.places_of(made->endpoint_, sign_in->identity.user), most);
    if (patience) {
      smtp::SessionSettings& session = settings.session;
      session.connect = session.greeting = *patience;
      // Not of the verdict: a message given up there may have gone out.
      session.transaction.command = session.transaction.content = *patience;
    }
    smtp::SentFolder sent_folder;
    if (route.incoming && route.incoming->driver == router::Driver::imap) {
      sent_folder.find = [self](smtp::SentMark mark) {
        return self->imap_->find_sent(std::move(mark.message_id), std::move(mark.operation_id));
      };
      sent_folder.append = [self](sync::ContentSource& text, smtp::SentMark mark) {
        return self->imap_->append_sent(text, std::move(mark.message_id));
      };
      auto copies = keeps_sent_copies ? sent_copies_of(organisation, mailbox, route.outgoing->location)
                                      : Result<smtp::SentCopies>(smtp::SentCopies::none);
      if (!copies) co_return fail(std::move(copies.error()));
      sent_folder.copies = *copies;
      made->learned_copies_ = [&organisation, address = mailbox.address(),
                               host = route.outgoing->location](bool server_saves) {
        return remember_sent_copies(organisation, address, host, server_saves);
      };
    } else {
      sent_folder.copies = smtp::SentCopies::none;
    }
    made->sender_ = std::make_unique<smtp::Sender>(
        world, std::move(settings), chooser_of(std::move(*sign_in), connections.blocking()),
        smtp::mime_composer({.address = mailbox.address()}), std::move(sent_folder));
    send = [self](const sync::WriteOrder& order, sync::Progress& progress, const sync::OpenContent& content) {
      return self->sender_->send(order, progress, content);
    };
  }
  if (!route.incoming) {
    made->send_only_ = std::make_unique<smtp::SendOnlyDriver>(*made->sender_);
    co_return made;
  }
  auto sign_in = sign_ins.make(*route.incoming, Direction::incoming);
  if (!sign_in) co_return fail(std::move(sign_in.error()));
  if (!sign_in->is_wanted)
    co_return bad_settings("a mailbox cannot be read without signing in: " + mailbox.address());
  made->endpoint_ = url_of(router::to_string(route.incoming->driver), *route.incoming);
  const auto places = connections.places_of(made->endpoint_, sign_in->identity.user);
  connections.wait_for_place(true);
  auto place = co_await places->take(most);
  if (!place) co_return fail(std::move(place.error()));
  connections.wait_for_place(false);
  made->place_.emplace(std::move(*place));
  if (route.incoming->driver == router::Driver::imap) {
    imap::DriverSettings settings;
    settings.endpoint = endpoint_of(*route.incoming, mailbox.profile(), {times, &times->imap});
    settings.keep_as_received =
        mailbox.policies().mail.keep_mime || mailbox.mailbox().kind == model::MailboxKind::forward;
    settings.connect.sign_in = {.identity = std::move(sign_in->identity),
                                .policy = std::move(sign_in->policy),
                                .blocking = connections.blocking()};
    settings.reading_thread = connections.reading();
    settings.connect.client.compress = mailbox.profile().compress.value_or(false);
    if (patience) settings.connect.timeout = settings.connect.session.silence = *patience;
    made->imap_ = std::make_unique<imap::ImapDriver>(world, std::move(settings), std::move(send));
    co_return made;
  }
  pop3::DriverSettings settings;
  settings.by_date = mailbox.policies().mail.process_from.has_value();
  pop3::MailboxSettings& box = settings.mailbox;
  box.session.endpoint = endpoint_of(*route.incoming, mailbox.profile(), {times, &times->pop3});
  if (patience) box.session.connect = box.session.command = *patience;
  box.login.user = sign_in->identity.user;
  // USER and PASS are what "basic" means here, without SASL.
  using enum model::AuthenticationProtocol;
  box.login.apop = sign_in->protocol == automatic;
  if (sign_in->protocol == automatic || sign_in->protocol == basic)
    box.login.password = sign_in->identity.password;
  box.login.clear_text_without_tls = sign_in->policy.clear_text_without_tls;
  box.login.fips = sign_in->policy.fips;
  box.login.sasl = [identity = std::move(sign_in->identity), policy = std::move(sign_in->policy),
                    blocking = connections.blocking()](const auth::SaslOffer& offer,
                                                       const std::string& user) {
    auth::SaslIdentity who = identity;
    who.user = user;
    return auth::choose_sasl(offer, who, policy, blocking);
  };
  made->pop3_ = std::make_unique<pop3::Pop3Driver>(world, std::move(settings), pop3::mime_message_reader(),
                                                   std::move(send));
  co_return made;
}

sync::Driver& MailHostConnection::driver() {
  if (imap_) return *imap_;
  if (pop3_) return *pop3_;
  return *send_only_;
}

Async<sync::Claim> MailHostConnection::look_at_claim(std::string organisation_id, bool take_over) {
  static_cast<void>(organisation_id);
  static_cast<void>(take_over);
  co_return sync::Claim{.ours = true};
}

Async<void> MailHostConnection::rest() {
  Result<void> all;
  if (sender_ && learned_copies_)
    if (const auto saves = sender_->server_saves_copies()) all = learned_copies_(*saves);
  if (sender_)
    if (auto closed = co_await sender_->close(); !closed) all = std::move(closed);
  co_return all;
}

Async<void> MailHostConnection::close() {
  Result<void> all = co_await rest();
  if (imap_)
    if (auto closed = co_await imap_->close(); !closed) all = std::move(closed);
  if (pop3_)
    if (auto closed = co_await pop3_->close(); !closed) all = std::move(closed);
  co_return all;
}

}  // namespace syncline::service
