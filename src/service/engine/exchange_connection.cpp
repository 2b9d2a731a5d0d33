// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/engine/exchange_connection.hpp"

#include "auth/bearer.hpp"
#include "auth/credentials.hpp"
#include "auth/impersonation.hpp"
#include "auth/oauth.hpp"
#include "ews/autodiscover/discovery.hpp"
#include "ews/client/operation_evidence.hpp"
#include "service/engine/mailbox_state.hpp"
#include "service/organisation/organisation.hpp"

namespace syncline::service {
namespace {

constexpr std::string_view online_scope = "https://outlook.office365.com/.default";

ews::StoreKind store_kind_of(model::FolderStore store) {
  switch (store) {
    case model::FolderStore::mailbox:
      return ews::StoreKind::mailbox;
    case model::FolderStore::group:
      return ews::StoreKind::group_mailbox;
    case model::FolderStore::public_folders:
      return ews::StoreKind::public_folders;
  }
  return ews::StoreKind::mailbox;
}

Error missing(std::string message) {
  return {.domain = ErrorDomain::input, .code = "bad-settings", .message = std::move(message)};
}

/// The leg that EWS serves; all legs of a mailbox share one profile's Exchange server.
const router::LegRoute* exchange_leg(const router::Route& route) {
  for (const auto* leg : {&route.incoming, &route.act, &route.outgoing})
    if (*leg && (*leg)->driver == router::Driver::ews) return &**leg;
  return nullptr;
}

auth::AllowedSchemes allowed_schemes(const model::Profile& profile) {
  using model::AuthenticationProtocol;
  switch (profile.incoming.authentication_protocol.value_or(AuthenticationProtocol::automatic)) {
    case AuthenticationProtocol::negotiate:
      return {.negotiate = true, .ntlm = false, .basic = false};
    case AuthenticationProtocol::ntlm:
      return {.negotiate = false, .ntlm = true, .basic = false};
    case AuthenticationProtocol::basic:
      return {.negotiate = false, .ntlm = false, .basic = true};
    case AuthenticationProtocol::automatic:
    case AuthenticationProtocol::oauth:
      break;
  }
  return {};
}

/// How a leg signs in, and as whom.
struct SignIn {
  std::shared_ptr<net::Authenticator> authenticator;
  auth::CredentialKind kind = auth::CredentialKind::own_password;
  std::string account;  ///< what the server counts: part of the budget's key
};

class SignInMaker {
 public:
  SignInMaker(Organisation& organisation, Connections& connections, Connections::Network& network,
              const AdmittedMailbox& mailbox)
      : organisation_(organisation), connections_(connections), network_(network), mailbox_(mailbox) {}

  Result<SignIn> make(const router::LegRoute& leg) {
    switch (leg.authentication) {
      case rules::Word::mailbox_credentials:
        return with_password(mailbox_.mailbox().login(), secret_of_mailbox("password"),
                             auth::CredentialKind::own_password);
      case rules::Word::profile_credentials:
        return with_password(mailbox_.profile().incoming.user_name.value_or(""),
                             secret_of_profile("password"), auth::CredentialKind::service_account);
      case rules::Word::windows_integrated:
        return made(auth::make_authenticator(auth::KerberosCredentials{}, allowed_schemes(mailbox_.profile()),
                                             connections_.blocking()),
                    auth::CredentialKind::service_account, "windows-integrated");
      case rules::Word::s2s:
        return with_application(auth::CredentialKind::s2s);
      case rules::Word::oauth_cross_tenant:
        return with_application(auth::CredentialKind::oauth_cross_tenant);
      case rules::Word::hma:
        return with_application(auth::CredentialKind::hma_application);
      default:
        return fail(missing("the profile " + mailbox_.profile().name + " has no way to sign in to Exchange"));
    }
  }

 private:
  Result<std::optional<Secret>> secret_of_mailbox(std::string field) {
    return organisation_.secrets().get(
        secret_key({.account = {.kind = "mailbox", .name = mailbox_.address()}, .field = std::move(field)}));
  }
  Result<std::optional<Secret>> secret_of_profile(std::string field) {
    return organisation_.secrets().get(secret_key(
        {.account = {.kind = "profile", .name = mailbox_.profile().name}, .field = std::move(field)}));
  }

  static Result<SignIn> made(Result<std::shared_ptr<net::Authenticator>> authenticator,
                             auth::CredentialKind kind, std::string account) {
    if (!authenticator) return fail(std::move(authenticator.error()));
    return SignIn{.authenticator = std::move(*authenticator), .kind = kind, .account = std::move(account)};
  }

  Result<SignIn> with_password(const std::string& user, Result<std::optional<Secret>> password,
                               auth::CredentialKind kind) {
    if (!password) return fail(std::move(password.error()));
    if (!*password)
      return fail(missing("there is no password for " + mailbox_.address() + "; syncline secret set"));
    return made(
        auth::make_authenticator(auth::PasswordCredentials{.user = user, .password = std::move(**password)},
                                 allowed_schemes(mailbox_.profile()), connections_.blocking()),
        kind, user);
  }

  Result<SignIn> with_application(auth::CredentialKind kind) {
    const model::OAuthSettings& settings = mailbox_.profile().oauth;
    std::shared_ptr<auth::TokenSource>& shared = connections_.application_token_of(mailbox_.profile());
    if (!shared) {
      auto made = make_application_token(settings);
      if (!made) return fail(std::move(made.error()));
      shared = std::move(*made);
    }
    return SignIn{
        .authenticator = auth::make_bearer(shared), .kind = kind, .account = settings.client_id.value_or("")};
  }

  Result<std::shared_ptr<auth::TokenSource>> make_application_token(const model::OAuthSettings& settings) {
    auth::TokenEndpoint endpoint;
    const std::string where = settings.token_endpoint.value_or(
        "https://login.microsoftonline.com/" + settings.tenant_id.value_or("") + "/oauth2/v2.0/token");
    auto url = net::parse_url(where);
    if (!url) return fail(std::move(url.error()));
    endpoint.url = std::move(*url);
    endpoint.scope = settings.scope.value_or(std::string(online_scope));
    endpoint.client_id = settings.client_id.value_or("");
    auto certificate = secret_of_profile("certificate");
    if (!certificate) return fail(std::move(certificate.error()));
    if (*certificate) {
      // One PEM file holds both, as openssl writes them.
      auto loaded = auth::ClientCertificate::load((*certificate)->reveal(), **certificate);
      if (!loaded) return fail(std::move(loaded.error()));
      endpoint.proof = std::move(*loaded);
    } else {
      auto secret = secret_of_profile("client-secret");
      if (!secret) return fail(std::move(secret.error()));
      if (!*secret)
        return fail(
            missing("the profile " + mailbox_.profile().name + " has neither client secret nor certificate"));
      endpoint.proof = std::move(**secret);
    }
    net::Environment& world = network_.environment();
    return auth::make_client_credentials(
        {.executor = world.executor, .http = *network_.http, .clock = world.clock, .random = world.random},
        std::move(endpoint));
  }

  Organisation& organisation_;
  Connections& connections_;
  Connections::Network& network_;
  const AdmittedMailbox& mailbox_;
};

Async<model::MailboxFacts> ask_autodiscover(Connections::Network& network, const AdmittedMailbox& mailbox,
                                            std::shared_ptr<net::Authenticator> credentials) {
  ews::autodiscover::DiscoverySettings settings;
  settings.credentials = std::move(credentials);
  settings.allowed_hosts = mailbox.profile().autodiscover_hosts;
  const std::string address = mailbox.address();
  net::Environment& world = network.environment();
  ews::autodiscover::Discovery found = co_await ews::autodiscover::discover(
      *network.http, world.resolver, world.clock, address, std::move(settings));
  if (!found.facts) co_return fail(std::move(found.facts.error()).during("discovering " + address));
  co_return std::move(*found.facts);
}

/// The endpoint that the profile states, that was found lately, or that Autodiscover finds now.
Async<KnownEndpoint> find_endpoint(Organisation& organisation, Connections::Network& network,
                                   const AdmittedMailbox& mailbox, const router::LegRoute& leg,
                                   std::shared_ptr<net::Authenticator> credentials, bool remember) {
  if (!leg.location.empty()) co_return KnownEndpoint{.url = leg.location};
  auto known = known_endpoint(organisation, mailbox.address());
  if (!known) co_return fail(std::move(known.error()));
  if (*known) co_return std::move(**known);
  auto found = co_await ask_autodiscover(network, mailbox, std::move(credentials));
  if (!found) co_return fail(std::move(found.error()));
  if (remember)
    if (auto kept = remember_endpoint(organisation, *found); !kept) co_return fail(std::move(kept.error()));
  co_return KnownEndpoint{.url = std::move(found->ews_endpoint),
                          .grouping_information = std::move(found->grouping_information)};
}

/// What a connection is made with: of a service account with the turn in which it may be used.
struct Start {
  const router::LegRoute* leg;
  Connections::Network* network;
  SignIn sign_in;
  std::optional<SharedAccount::Turn> turn = std::nullopt;
};

/// Waits for the turn. Errors: "no-driver" (input); of the network, of the secrets; the account's refusal.
Async<Start> start_of(Organisation& organisation, Connections& connections, const AdmittedMailbox& mailbox) {
  const router::LegRoute* leg = exchange_leg(mailbox.route());
  if (leg == nullptr)
    co_return fail(ErrorDomain::input, "no-driver", "no leg of " + mailbox.address() + " is served by EWS");
  auto network = connections.network_of(mailbox.profile());
  if (!network) co_return fail(std::move(network.error()));
  auto sign_in = SignInMaker(organisation, connections, **network, mailbox).make(*leg);
  if (!sign_in) co_return fail(std::move(sign_in.error()));
  Start start{.leg = leg, .network = *network, .sign_in = std::move(*sign_in)};
  if (start.sign_in.kind == auth::CredentialKind::service_account) {
    const std::shared_ptr<SharedAccount> account = connections.service_account_of(mailbox.profile());
    auto taken = co_await account->take_turn(start.network->environment().clock);
    if (!taken) co_return fail(std::move(taken.error()));
    start.turn.emplace(std::move(*taken));
  }
  co_return start;
}

}  // namespace

ExchangeConnection::ExchangeConnection(net::Environment& environment, net::HttpClient& http,
                                       std::shared_ptr<ews::CredentialBudgets> budgets,
                                       ews::ClientSettings client, ews::DriverSettings driver,
                                       std::optional<SharedAccount::Turn> turn,
                                       std::optional<std::string> streams_to)
    : endpoint_(client.url.to_string()),
      environment_(environment),
      http_(http),
      streams_to_(std::move(streams_to)),
      client_(environment, http, std::move(budgets), std::move(client)),
      driver_(client_, std::move(driver)) {
  if (turn) turn_.emplace(std::move(*turn));
}

std::optional<MailboxConnection::Streamable> ExchangeConnection::streamable() noexcept {
  if (!streams_to_) return std::nullopt;
  return Streamable{
      .client = client_, .environment = environment_, .http = http_, .group = endpoint_ + " " + *streams_to_};
}

std::optional<std::chrono::milliseconds> ExchangeConnection::pause_left() const {
  const auto until = client_.budgets()->metrics().paused_until;
  if (!until) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::milliseconds>(*until - environment_.clock.steady_now());
}

std::string ExchangeConnection::server_version() const {
  const auto& said = client_.server_version();
  if (!said) return {};
  return std::to_string(said->major) + "." + std::to_string(said->minor) + "." +
         std::to_string(said->major_build) + "." + std::to_string(said->minor_build);
}

Async<std::vector<sync::RemoteRef>> ExchangeConnection::made_by(std::string operation_id,
                                                                std::string folder_id) {
  // Clocks of servers go wrong by minutes, rarely by more.
  const ews::EvidenceSince since{.created = environment_.clock.now() - std::chrono::hours(1)};
  ews::FolderRef folder = ews::FolderId{.id = std::move(folder_id)};
  auto evidence = co_await ews::find_evidence(client_, std::move(folder), std::move(operation_id), since);
  if (!evidence) co_return fail(std::move(evidence.error()));
  std::vector<sync::RemoteRef> made;
  for (const ews::MarkedItem& item : evidence->items)
    made.push_back({.id = item.id.id, .version = item.id.change_key});
  co_return made;
}

Async<std::unique_ptr<ExchangeConnection>> ExchangeConnection::open(Organisation& organisation,
                                                                    Connections& connections,
                                                                    const AdmittedMailbox& mailbox,
                                                                    bool remember) {
  auto start = co_await start_of(organisation, connections, mailbox);
  if (!start) co_return fail(std::move(start.error()));
  const std::shared_ptr<net::Authenticator> credentials = start->sign_in.authenticator;
  auto endpoint =
      co_await find_endpoint(organisation, *start->network, mailbox, *start->leg, credentials, remember);
  if (!endpoint) {
    if (start->turn && refuses_credentials(endpoint.error())) start->turn->refused(endpoint.error());
    co_return fail(std::move(endpoint.error()));
  }
  auto url = net::parse_url(endpoint->url);
  if (!url)
    co_return fail(std::move(url.error()).during("reading the EWS location of " + mailbox.profile().name));

  ews::ClientSettings client;
  client.url = std::move(*url);
  client.authenticator = start->sign_in.authenticator;
  client.identity =
      auth::mailbox_identity_headers(start->sign_in.kind, start->leg->impersonation, mailbox.address());
  if (mailbox.profile().timeout_ms)
    client.limits.first_octet = std::chrono::milliseconds(*mailbox.profile().timeout_ms);
  if (const auto stated = mailbox.profile().maximum_request_mib)
    client.request_octets = static_cast<std::uint64_t>(*stated) << 20;
  client.answer_times = {connections.server_times(), &connections.server_times()->ews};
  ews::DriverSettings driver;
  driver.mailbox = mailbox.address();
  driver.store = store_kind_of(mailbox.mailbox().store);
  driver.is_delegate =
      start->sign_in.kind == auth::CredentialKind::service_account && !client.identity.impersonated_address;
  driver.server_time_limit = mailbox.policies().sync.server_time_limit;
  const Connections::Counted counted{
      .account = start->sign_in.account + "@" + client.url.host,
      .impersonated = client.identity.impersonated_address ? mailbox.address() : std::string()};
  auto budgets = connections.budgets_of(counted, *start->network, mailbox.profile());
  // A subscription to all folders is to those of whom the request speaks for; a group's mailbox and public
  // folders have none.
  std::optional<std::string> streams_to;
  if (!driver.is_delegate && driver.store == ews::StoreKind::mailbox)
    streams_to = start->sign_in.account + " " + endpoint->grouping_information;
  co_return std::unique_ptr<ExchangeConnection>(new ExchangeConnection(
      start->network->environment(), *start->network->http, std::move(budgets), std::move(client),
      std::move(driver), std::move(start->turn), std::move(streams_to)));
}

Async<model::MailboxFacts> discover_mailbox(Organisation& organisation, Connections& connections,
                                            const AdmittedMailbox& mailbox) {
  auto start = co_await start_of(organisation, connections, mailbox);
  if (!start) co_return fail(std::move(start.error()));
  std::shared_ptr<net::Authenticator> credentials = start->sign_in.authenticator;
  auto found = co_await ask_autodiscover(*start->network, mailbox, std::move(credentials));
  if (start->turn) {
    if (found) start->turn->accepted();
    if (!found && refuses_credentials(found.error())) start->turn->refused(found.error());
  }
  co_return found;
}

}  // namespace syncline::service
