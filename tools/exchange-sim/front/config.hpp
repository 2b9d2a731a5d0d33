// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What the test Exchange is told: sites, who may come in, limits, where things are written. Plain values; the
// TOML form of the same names is described in docs/exchange-sim.md.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "tools/exchange-sim/transport/settings.hpp"

namespace exchange_sim {

using syncline::Error;
using syncline::Result;
using syncline::Secret;

/// What answers: an Exchange Server of some product line, or a tenant of Exchange Online.
enum class Product { exchange2013, exchange2016, exchange2019, subscription_edition, online };

enum class Scheme { basic, ntlm, negotiate, bearer };
std::string_view to_string(Scheme scheme) noexcept;

/// Channel binding of NTLM and Negotiate over TLS ("Extended Protection"). `allow`: checked when the client
/// sends one.
enum class ChannelBinding { none, allow, require };

/// How EWS answers. The forms of "off" are those clients report of Exchange Online
/// (docs/protocol-notes/exchange-sim.md).
enum class EwsSwitch {
  on,
  off_empty,  ///< 403 with an empty body
  off_html,   ///< 403 with the web server's HTML page
  off_fault,  ///< 403 with a SOAP fault ErrorAccessDenied
};

/// An account of a site. Its mailbox is the service's; the front only knows that there is one.
struct User {
  std::string address;               ///< primary SMTP address, compared without case
  Secret password;                   ///< empty: no password sign-in
  std::vector<std::string> aliases;  ///< other SMTP addresses of the same mailbox
  std::string logon_name;            ///< sAMAccountName; empty: the address's local part
  std::string principal;             ///< Kerberos principal; empty: the address
  bool has_mailbox = true;           ///< a service account may have none
  std::string fill_folder;           ///< .eml, .mbox, .ics, .vcf for the mailbox at the start
  std::uint64_t generate_items = 0;  ///< made up for the mailbox at the start, from the seed
  /// Addresses this account may impersonate; "*" is everybody of the site (ApplicationImpersonation).
  std::vector<std::string> may_impersonate;
};

/// A mailbox of this site's users that has moved away (hybrid). EWS answers for it with `ews_code`,
/// Autodiscover points to `redirect_address` (redirectAddr) or, if that is empty, to `redirect_url`
/// (redirectUrl).
struct MovedMailbox {
  std::string address;
  std::string redirect_address;
  std::string redirect_url;
  std::string ews_code = "ErrorNonExistentMailbox";  ///< or "ErrorWrongServerVersion", …
};

/// A registered application of an online site.
struct Application {
  std::string client_id;
  Secret secret;                       ///< empty: no secret sign-in
  std::string certificate_pem;         ///< empty: no client_assertion
  bool full_access_as_app = true;      ///< may get app-only tokens for EWS
  std::vector<std::string> mailboxes;  ///< application access policy: only these; empty is all
};

/// A refresh token that exists from the start.
struct RefreshToken {
  Secret token;
  std::string client_id;
  std::string address;  ///< who signed in
};

/// What a refresh does to the token that was used.
enum class RefreshRotation { revoke, keep, same };

struct OAuth {
  std::string tenant = "common";  ///< path segment of the token endpoint
  std::vector<Application> applications;
  std::vector<RefreshToken> refresh_tokens;
  std::chrono::seconds access_token_life{3599};
  std::chrono::seconds refresh_token_life{90 * 24 * 3600};
  RefreshRotation rotation = RefreshRotation::revoke;
  bool requires_impersonation =
      true;  ///< app-only calls without ExchangeImpersonation are refused, as they really are
};

/// Throttling, per budget: the mailbox that is charged (the target where ExchangeImpersonation is used).
struct SiteLimits {
  unsigned connections = 27;  ///< requests at once; above: ErrorExceededConnectionCount
  unsigned sync_calls = 5;    ///< SyncFolderItems and SyncFolderHierarchy at once; above: ErrorServerBusy
  unsigned hanging = 0;       ///< GetStreamingEvents at once, 0: the product's (3 on 2013, else 10);
                              ///< above: ErrorExceededConnectionCount
  unsigned requests_per_minute = 0;  ///< 0: no limit; above: ErrorServerBusy
  unsigned streaming_ids = 200;      ///< on one GetStreamingEvents
  std::uint64_t request_octets = 64ull * 1024 * 1024;
  std::chrono::milliseconds back_off{300'000};  ///< hint of a busy answer of ours
  std::chrono::milliseconds heartbeat{45'000};  ///< a streaming connection says OK at least this often
  std::chrono::milliseconds service_time{0};    ///< every EWS request takes at least this long
};

struct Listener {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  ///< 0: the system chooses
  bool tls = false;
  std::string certificate_file;  ///< PEM chain; empty with tls: one of our own CA
  std::string key_file;
};

struct Site {
  std::string name;
  Product product = Product::exchange2019;
  std::string build;  ///< "15.2.1544.4"; empty: a build of that product
  std::vector<std::string>
      hosts;  ///< names it is reached by; the first one is in its URLs. Empty: "localhost"
  std::vector<std::string> domains;  ///< accepted SMTP domains; empty: those of its users
  std::string netbios_domain;        ///< for DOMAIN\user; empty: first label of the first domain, upper case
  std::vector<Listener> listeners;
  std::vector<Scheme> schemes{Scheme::basic};  ///< in the order of the WWW-Authenticate fields
  ChannelBinding channel_binding = ChannelBinding::allow;
  std::string keytab_file;  ///< Negotiate's; empty: no Kerberos
  std::vector<User> users;
  std::vector<MovedMailbox> moved;
  EwsSwitch ews = EwsSwitch::on;
  OAuth oauth;
  SiteLimits limits;
  unsigned back_ends =
      1;  ///< mailbox servers behind the front; above 1, subscriptions need their affinity cookie
  /// Autodiscover's http listener sends GETs here (302); empty: to its own https URL where it has one.
  std::string autodiscover_redirect;
  std::optional<bool> autodiscover_json;  ///< v2; empty: the product's (2013 has none)
};

struct Config {
  std::vector<Site> sites;
  bool strict =
      true;  ///< a request that violates the schema is refused, as Exchange does; else only recorded
  std::string schema_folder;          ///< holds messages.xsd and types.xsd; empty: requests are not validated
  std::uint64_t seed = 1;             ///< of faults with a probability and of identifiers
  std::string log_file;               ///< request log, JSON lines; empty: in memory only
  std::size_t log_entries = 100'000;  ///< kept in memory
  std::string script_file;            ///< fault rules, JSON (an array, or one object a line)
  std::string ca_file;                ///< where our own CA's certificate is written, PEM; empty: nowhere
  std::optional<std::uint16_t> control_port;  ///< control endpoint on loopback; 0: the system chooses
  Secret control_token;                       ///< empty: one is made
  TransportSettings transport;                ///< mail from and to other servers; off by default
};

/// Reads the TOML file. Error: domain input, with file, line and column.
Result<Config> read_config_file(const std::string& path);
Result<Config> parse_config(std::string_view toml, const std::string& name);
/// Fills what is derived (builds, domains, limits of the product) and refuses what contradicts itself.
Result<Config> completed(Config config);

/// One on-premises site with these users, Basic and NTLM: what the simple command line makes.
Config simple_config(std::uint16_t port, std::vector<User> users);

}  // namespace exchange_sim
