// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// An e-mail server profile: what its administrator stated. What is not stated is left to the defaults of the
// rules (routing/rules) and the presets of the router. Secrets are never in it: they are the vault's.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "model/enum_words.hpp"

namespace syncline::model {

enum class ServerType : std::uint8_t {
  exchange_online,
  exchange_online_hybrid,
  exchange_hybrid,
  exchange_server,
  pop3_smtp,
  imap_smtp,
  gmail,
};

enum class MailProtocol : std::uint8_t { ews, graph, pop3, imap, smtp, none };

/// "Authenticate using": whose credentials a connection takes.
enum class AuthenticationMethod : std::uint8_t {
  mailbox_credentials,
  profile_credentials,
  s2s,
  windows_integrated,
  anonymous,
  gmail_oauth,
  hma,
  oauth_cross_tenant,
  none,
};

/// How they are shown to the server.
enum class AuthenticationProtocol : std::uint8_t { automatic, negotiate, ntlm, basic, oauth };

enum class TransportSecurity : std::uint8_t { implicit, starttls, none };

/// How what went out by SMTP comes into the Sent folder.
enum class SentCopies : std::uint8_t {
  automatic,  ///< looked for; appended if the server has put none there within a minute
  append,
  server,  ///< the server keeps one by itself
  none,
};

/// One direction of a profile.
struct ProfileLeg {
  std::optional<MailProtocol> protocol = std::nullopt;
  std::optional<std::string> location = std::nullopt;  ///< host name; URL for EWS
  std::optional<int> port = std::nullopt;
  std::optional<TransportSecurity> tls = std::nullopt;
  std::optional<AuthenticationMethod> method = std::nullopt;
  std::optional<AuthenticationProtocol> authentication_protocol = std::nullopt;
  std::optional<std::string> user_name = std::nullopt;  ///< of profile_credentials
  friend bool operator==(const ProfileLeg&, const ProfileLeg&) = default;
};

struct OAuthSettings {
  std::optional<std::string> tenant_id = std::nullopt;
  std::optional<std::string> client_id = std::nullopt;
  std::optional<std::string> scope = std::nullopt;
  std::optional<std::string> token_endpoint = std::nullopt;          ///< https URL
  std::optional<std::string> authorization_endpoint = std::nullopt;  ///< https URL, for a person's sign-in
  std::optional<std::string> device_endpoint = std::nullopt;         ///< https URL, sign-in on another device
  std::optional<std::string> revocation_endpoint = std::nullopt;     ///< https URL, for signing out
  friend bool operator==(const OAuthSettings&, const OAuthSettings&) = default;
};

struct Profile {
  std::string name;  ///< at most 100 characters; unique, and the profile's identity
  std::optional<std::string> description = std::nullopt;
  std::optional<std::string> owner = std::nullopt;  ///< address of the person its alerts go to
  ServerType type = ServerType::exchange_online;
  std::optional<bool> is_default = std::nullopt;  ///< of new mailboxes

  ProfileLeg incoming = {};
  ProfileLeg outgoing = {};
  /// Outgoing connections use the incoming ones' method, authentication protocol, user name and secret. Not
  /// stated: they do unless one of the outgoing ones is stated.
  std::optional<bool> same_settings_for_outgoing = std::nullopt;
  std::optional<bool> impersonation = std::nullopt;
  std::optional<bool> autodiscover = std::nullopt;
  OAuthSettings oauth = {};

  std::optional<SystemTime> process_email_from = std::nullopt;
  std::optional<int> minimum_polling_minutes = std::nullopt;
  std::optional<int> maximum_connections = std::nullopt;
  std::optional<int> timeout_ms = std::nullopt;
  std::optional<int> maximum_request_mib = std::nullopt;  ///< EWS: longest request that the server takes
  std::optional<bool> compress = std::nullopt;  ///< IMAP's COMPRESS=DEFLATE, where it is offered
  std::optional<bool> move_undelivered =
      std::nullopt;  ///< mail that cannot be tracked goes to a folder of its own
  std::optional<SentCopies> sent_copies =
      std::nullopt;                               ///< not stated: what is known of the host, else automatic
  std::optional<bool> alert_mail = std::nullopt;  ///< alerts go to the owner by mail, too

  std::optional<std::string> ca_file = std::nullopt;  ///< PEM; beside the system's authorities
  std::vector<std::string> resolve = {};              ///< "HOST:PORT:ADDR", instead of DNS
  std::vector<std::string> autodiscover_hosts =
      {};  ///< others than its domain's that Autodiscover may ask: "host", ".suffix"
  std::optional<std::string> proxy = std::nullopt;  ///< http URL, instead of the environment's

  /// What is stated about the server that only the rules read, by the rules' field ("prof_iis_auth").
  std::map<std::string, std::string> facts = {};

  bool outgoing_as_incoming() const noexcept {
    return same_settings_for_outgoing.value_or(!outgoing.method && !outgoing.authentication_protocol &&
                                               !outgoing.user_name);
  }
  /// Of outgoing connections, with `same_settings_for_outgoing` obeyed.
  const std::optional<std::string>& outgoing_user_name() const noexcept {
    return outgoing_as_incoming() ? incoming.user_name : outgoing.user_name;
  }
  friend bool operator==(const Profile&, const Profile&) = default;
};

template <>
struct EnumWords<ServerType> {
  static constexpr EnumWord<ServerType> all[] = {
      {ServerType::exchange_online, "exchange_online"},
      {ServerType::exchange_online_hybrid, "exchange_online_hybrid"},
      {ServerType::exchange_hybrid, "exchange_hybrid"},
      {ServerType::exchange_server, "exchange_server"},
      {ServerType::pop3_smtp, "pop3_smtp"},
      {ServerType::imap_smtp, "imap_smtp"},
      {ServerType::gmail, "gmail"}};
};
template <>
struct EnumWords<MailProtocol> {
  static constexpr EnumWord<MailProtocol> all[] = {
      {MailProtocol::ews, "ews"},   {MailProtocol::graph, "graph"}, {MailProtocol::pop3, "pop3"},
      {MailProtocol::imap, "imap"}, {MailProtocol::smtp, "smtp"},   {MailProtocol::none, "none"}};
};
template <>
struct EnumWords<AuthenticationMethod> {
  static constexpr EnumWord<AuthenticationMethod> all[] = {
      {AuthenticationMethod::mailbox_credentials, "mailbox_credentials"},
      {AuthenticationMethod::profile_credentials, "profile_credentials"},
      {AuthenticationMethod::s2s, "s2s"},
      {AuthenticationMethod::windows_integrated, "windows_integrated"},
      {AuthenticationMethod::anonymous, "anonymous"},
      {AuthenticationMethod::gmail_oauth, "gmail_oauth"},
      {AuthenticationMethod::hma, "hma"},
      {AuthenticationMethod::oauth_cross_tenant, "oauth_cross_tenant"},
      {AuthenticationMethod::none, "none"}};
};
template <>
struct EnumWords<AuthenticationProtocol> {
  static constexpr EnumWord<AuthenticationProtocol> all[] = {{AuthenticationProtocol::automatic, "auto"},
                                                             {AuthenticationProtocol::negotiate, "negotiate"},
                                                             {AuthenticationProtocol::ntlm, "ntlm"},
                                                             {AuthenticationProtocol::basic, "basic"},
                                                             {AuthenticationProtocol::oauth, "oauth"}};
};
template <>
struct EnumWords<SentCopies> {
  static constexpr EnumWord<SentCopies> all[] = {{SentCopies::automatic, "auto"},
                                                 {SentCopies::append, "append"},
                                                 {SentCopies::server, "server"},
                                                 {SentCopies::none, "none"}};
};
template <>
struct EnumWords<TransportSecurity> {
  static constexpr EnumWord<TransportSecurity> all[] = {{TransportSecurity::implicit, "implicit"},
                                                        {TransportSecurity::starttls, "starttls"},
                                                        {TransportSecurity::none, "none"}};
};

}  // namespace syncline::model
