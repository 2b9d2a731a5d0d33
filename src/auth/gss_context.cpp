// SPDX-License-Identifier: GPL-3.0-or-later
#include "auth/gss_context.hpp"

#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <krb5.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <vector>

#include "base/text.hpp"

namespace syncline::auth {

namespace {

// 1.3.6.1.5.5.2 (RFC 4178) and 1.3.6.1.4.1.311.2.2.10 (MS-NLMP); the library's types want them mutable.
char spnego_octets[] = "\x2b\x06\x01\x05\x05\x02";
char ntlm_octets[] = "\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a";
gss_OID_desc spnego_oid = {6, spnego_octets};
gss_OID_desc ntlm_oid = {10, ntlm_octets};

gss_OID oid_of(GssMechanism mechanism) noexcept {
  if (mechanism == GssMechanism::kerberos) return gss_mech_krb5;
  return mechanism == GssMechanism::ntlm ? &ntlm_oid : &spnego_oid;
}

/// A buffer the library filled and the library must free.
class OutBuffer {
 public:
  OutBuffer() = default;
  ~OutBuffer() {
    OM_uint32 minor = 0;
    gss_release_buffer(&minor, &buffer_);
  }
  OutBuffer(const OutBuffer&) = delete;
  OutBuffer& operator=(const OutBuffer&) = delete;
  gss_buffer_t get() noexcept { return &buffer_; }
  std::string text() const { return {static_cast<const char*>(buffer_.value), buffer_.length}; }

 private:
  gss_buffer_desc buffer_ = GSS_C_EMPTY_BUFFER;
};

class Name {
 public:
  Name() = default;
  ~Name() {
    OM_uint32 minor = 0;
    if (name_ != GSS_C_NO_NAME) gss_release_name(&minor, &name_);
  }
  Name(const Name&) = delete;
  Name& operator=(const Name&) = delete;
  gss_name_t* out() noexcept { return &name_; }
  gss_name_t get() const noexcept { return name_; }
  gss_name_t release() noexcept { return std::exchange(name_, GSS_C_NO_NAME); }

 private:
  gss_name_t name_ = GSS_C_NO_NAME;
};

gss_buffer_desc view_buffer(std::string_view text) noexcept {
  gss_buffer_desc buffer;
  buffer.length = text.size();
  buffer.value = const_cast<char*>(text.data());
  return buffer;
}

void append_status(std::string& out, OM_uint32 code, int type, gss_OID mechanism) {
  OM_uint32 more = 0;
  // A mechanism that never says "no more" must not hold us here.
  for (int line = 0; line < 8; ++line) {
    OM_uint32 minor = 0;
    OutBuffer text;
    if (GSS_ERROR(gss_display_status(&minor, code, type, mechanism, &more, text.get()))) return;
    std::string said = text.text();
    while (!said.empty() && said.back() == '\0') said.pop_back();
    if (!said.empty() && out.find(said) == std::string::npos) out += (out.empty() ? "" : ": ") + said;
    if (more == 0) return;
  }
}

bool is_any_of(OM_uint32 minor, std::initializer_list<long> codes) noexcept {
  return std::any_of(codes.begin(), codes.end(),
                     [minor](long code) { return minor == static_cast<OM_uint32>(code); });
}

/// Sets code and class for the Kerberos errors that callers act on; false for all others.
bool classify_krb5(OM_uint32 code, Error& error) {
  if (is_any_of(code,
                {KRB5_KDC_UNREACH, KRB5_REALM_CANT_RESOLVE, KRB5_REALM_UNKNOWN, KRB5_CONFIG_NODEFREALM})) {
    error.code = "kdc-unreachable";
    error.retry = RetryClass::after;
    return true;
  }
  if (is_any_of(code, {KRB5KRB_AP_ERR_SKEW, KRB5_KDCREP_SKEW})) {
    error.code = "clock-skew";
    error.retry = RetryClass::after;
    return true;
  }
  if (is_any_of(code, {KRB5KDC_ERR_PREAUTH_FAILED, KRB5KRB_AP_ERR_BAD_INTEGRITY, KRB5KDC_ERR_CLIENT_REVOKED,
                       KRB5KDC_ERR_KEY_EXP, KRB5KDC_ERR_NAME_EXP})) {
    error.code = "credentials-refused";
    error.retry = RetryClass::reauthenticate;
    return true;
  }
  if (is_any_of(code, {KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN})) {
    error.code = "unknown-principal";
    error.retry = RetryClass::reauthenticate;
    return true;
  }
  return false;
}

Error gss_error(OM_uint32 major, OM_uint32 minor, gss_OID mechanism, std::string_view what) {
  std::string text;
  append_status(text, major, GSS_C_GSS_CODE, mechanism);
  if (minor != 0) append_status(text, minor, GSS_C_MECH_CODE, mechanism);
  Error error{.domain = ErrorDomain::auth,
              .code = "gssapi",
              .message = std::string(what) + ": " + (text.empty() ? "no reason given" : text)};
  const OM_uint32 routine = GSS_ROUTINE_ERROR(major);
  if (routine == GSS_S_BAD_MECH || routine == GSS_S_UNAVAILABLE) {
    error.code = "mechanism-missing";
    if (mechanism == &ntlm_oid) error.message += "; NTLM needs the package gss-ntlmssp";
  } else if (classify_krb5(minor, error)) {
    return error;
  } else if (routine == GSS_S_NO_CRED || routine == GSS_S_CREDENTIALS_EXPIRED ||
             routine == GSS_S_DEFECTIVE_CREDENTIAL) {
    error.code = "no-ticket";
    error.retry = RetryClass::reauthenticate;
  }
  return error;
}

/// gss-ntlmssp and libkrb5 both read "user@DOMAIN"; only the first reads "DOMAIN\user". Realms are upper case
/// by custom, and libkrb5 compares them with case; NTLM compares domains without.
std::string gss_user_name(const std::string& user) {
  const auto upper = [](std::string text) {
    for (char& c : text) {
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return text;
  };
  if (const auto slash = user.find('\\'); slash != std::string::npos) {
    return user.substr(slash + 1) + "@" + upper(user.substr(0, slash));
  }
  if (const auto at = user.rfind('@'); at != std::string::npos)
    return user.substr(0, at) + "@" + upper(user.substr(at + 1));
  return user;
}

/// A ticket cache in memory that goes with its owner.
struct TicketCache {
  krb5_context context = nullptr;
  krb5_ccache cache = nullptr;

  TicketCache() = default;
  TicketCache(const TicketCache&) = delete;
  TicketCache& operator=(const TicketCache&) = delete;
  ~TicketCache() {
    if (cache != nullptr) krb5_cc_destroy(context, cache);
    if (context != nullptr) krb5_free_context(context);
  }
};

/// A ticket-granting ticket for the password, by libkrb5 itself: inside SPNEGO the KDC's answer would be
/// lost, and a password that the KDC has refused would be tried again with NTLM. Asks the KDC.
Result<std::shared_ptr<TicketCache>> log_in_to_kerberos(const PasswordCredentials& credentials) {
  auto tickets = std::make_shared<TicketCache>();
  krb5_error_code code = krb5_init_context(&tickets->context);
  krb5_principal principal = nullptr;
  krb5_creds ticket = {};
  bool got_ticket = false;
  const std::string user = gss_user_name(credentials.user);
  std::string password(credentials.password.reveal());
  if (code == 0) code = krb5_parse_name(tickets->context, user.c_str(), &principal);
  if (code == 0) {
    code = krb5_get_init_creds_password(tickets->context, &ticket, principal, password.c_str(), nullptr,
                                        nullptr, 0, nullptr, nullptr);
    got_ticket = code == 0;
  }
  wipe(password);
  if (code == 0) code = krb5_cc_new_unique(tickets->context, "MEMORY", nullptr, &tickets->cache);
  if (code == 0) code = krb5_cc_initialize(tickets->context, tickets->cache, principal);
  if (code == 0) code = krb5_cc_store_cred(tickets->context, tickets->cache, &ticket);
  std::optional<Error> failure;
  if (code != 0) {
    const char* text = krb5_get_error_message(tickets->context, code);
    failure = Error{.domain = ErrorDomain::auth,
                    .code = "gssapi",
                    .message = "Kerberos sign-in of " + user +
                               " failed: " + (text == nullptr ? "no reason given" : text)};
    krb5_free_error_message(tickets->context, text);
    classify_krb5(static_cast<OM_uint32>(code), *failure);
  }
  if (got_ticket) krb5_free_cred_contents(tickets->context, &ticket);
  if (principal != nullptr) krb5_free_principal(tickets->context, principal);
  if (failure) return fail(std::move(*failure));
  return tickets;
}

Result<void> restrict_mechanisms(gss_cred_id_t credential, const NegotiateMechanisms& allowed) {
  std::vector<gss_OID_desc> wanted;
  if (allowed.kerberos) wanted.push_back(*gss_mech_krb5);
  if (allowed.ntlm) wanted.push_back(ntlm_oid);
  gss_OID_set_desc set = {wanted.size(), wanted.data()};
  OM_uint32 minor = 0;
  const OM_uint32 major = gss_set_neg_mechs(&minor, credential, &set);
  if (GSS_ERROR(major))
    return fail(gss_error(major, minor, &spnego_oid, "Negotiate mechanisms cannot be chosen"));
  return {};
}

Result<std::shared_ptr<GssCredential>> finish_credential(gss_cred_id_t handle, GssMechanism mechanism,
                                                         const NegotiateMechanisms& allowed,
                                                         std::shared_ptr<const void> kept = nullptr) {
  auto credential = std::make_shared<GssCredential>(handle, std::move(kept));
  if (mechanism == GssMechanism::negotiate) {
    if (auto restricted = restrict_mechanisms(handle, allowed); !restricted) {
      return fail(std::move(restricted).error());
    }
  }
  return credential;
}

Result<std::shared_ptr<GssCredential>> acquire_with_password(const PasswordCredentials& credentials,
                                                             GssMechanism mechanism,
                                                             const NegotiateMechanisms& allowed) {
  const std::string user =
      mechanism == GssMechanism::ntlm ? credentials.user : gss_user_name(credentials.user);
  gss_buffer_desc user_buffer = view_buffer(user);
  Name name;
  OM_uint32 minor = 0;
  OM_uint32 major = gss_import_name(&minor, &user_buffer, GSS_C_NT_USER_NAME, name.out());
  if (GSS_ERROR(major))
    return fail(gss_error(major, minor, oid_of(mechanism), "The user name cannot be used"));

  gss_buffer_desc password = view_buffer(credentials.password.reveal());
  gss_OID_set_desc mechanisms = {1, oid_of(mechanism)};
  gss_cred_id_t handle = GSS_C_NO_CREDENTIAL;
  major = gss_acquire_cred_with_password(&minor, name.get(), &password, GSS_C_INDEFINITE, &mechanisms,
                                         GSS_C_INITIATE, &handle, nullptr, nullptr);
  if (GSS_ERROR(major)) {
    return fail(gss_error(major, minor, oid_of(mechanism), "No credential could be made from the password"));
  }
  return finish_credential(handle, mechanism, allowed);
}

/// Whether the process was given keys to get tickets with (KRB5_CLIENT_KTNAME, or the system's place).
bool has_client_keytab() {
  krb5_context context = nullptr;
  if (krb5_init_context(&context) != 0) return false;
  krb5_keytab keytab = nullptr;
  const bool has =
      krb5_kt_client_default(context, &keytab) == 0 && krb5_kt_have_content(context, keytab) == 0;
  if (keytab != nullptr) krb5_kt_close(context, keytab);
  krb5_free_context(context);
  return has;
}

Result<std::shared_ptr<GssCredential>> acquire_ticket(const KerberosCredentials& credentials,
                                                      GssMechanism wanted,
                                                      std::shared_ptr<const void> kept = nullptr) {
  Name name;
  OM_uint32 minor = 0;
  OM_uint32 major = GSS_S_COMPLETE;
  if (!credentials.principal.empty()) {
    gss_buffer_desc principal = view_buffer(credentials.principal);
    major = gss_import_name(&minor, &principal, GSS_C_NT_USER_NAME, name.out());
    if (GSS_ERROR(major)) return fail(gss_error(major, minor, &spnego_oid, "The principal cannot be used"));
  }
  // Without a cache of its own a key table would leave its tickets in the user's default cache. Who has
  // neither means the tickets of the process' user.
  static std::atomic<unsigned> caches{0};
  const bool default_cache =
      credentials.credential_cache.empty() && credentials.client_keytab.empty() && !has_client_keytab();
  const std::string cache = credentials.credential_cache.empty()
                                ? "MEMORY:syncline-" + std::to_string(caches.fetch_add(1))
                                : credentials.credential_cache;
  std::vector<gss_key_value_element_desc> elements;
  if (!default_cache) elements.push_back({"ccache", cache.c_str()});
  if (!credentials.client_keytab.empty())
    elements.push_back({"client_keytab", credentials.client_keytab.c_str()});
  gss_key_value_set_desc store = {static_cast<OM_uint32>(elements.size()), elements.data()};
  const auto acquire = [&](gss_OID mechanism, gss_cred_id_t& out) {
    gss_OID_set_desc mechanisms = {1, mechanism};
    return gss_acquire_cred_from(&minor, name.get(), GSS_C_INDEFINITE, &mechanisms, GSS_C_INITIATE,
                                 elements.empty() ? GSS_C_NO_CRED_STORE : &store, &out, nullptr, nullptr);
  };
  gss_cred_id_t handle = GSS_C_NO_CREDENTIAL;
  major = acquire(oid_of(wanted), handle);
  if (GSS_ERROR(major) && wanted == GssMechanism::kerberos)
    return fail(gss_error(major, minor, oid_of(wanted), "No Kerberos ticket can be used"));
  if (GSS_ERROR(major)) {
    // SPNEGO only says that nothing is left to negotiate with; Kerberos itself says why.
    gss_cred_id_t unused = GSS_C_NO_CREDENTIAL;
    if (const OM_uint32 direct = acquire(gss_mech_krb5, unused); GSS_ERROR(direct)) {
      return fail(gss_error(direct, minor, gss_mech_krb5, "No Kerberos ticket can be used"));
    }
    gss_release_cred(&minor, &unused);
    return fail(gss_error(major, minor, &spnego_oid, "No Kerberos ticket can be used"));
  }
  return finish_credential(handle, wanted, NegotiateMechanisms{.kerberos = true, .ntlm = false},
                           std::move(kept));
}

Result<std::shared_ptr<GssCredential>> acquire_ticket_with_password(const PasswordCredentials& credentials) {
  auto tickets = log_in_to_kerberos(credentials);
  if (!tickets) return fail(std::move(tickets).error());
  KerberosCredentials in_memory;
  in_memory.credential_cache =
      std::string("MEMORY:") + krb5_cc_get_name((*tickets)->context, (*tickets)->cache);
  return acquire_ticket(in_memory, GssMechanism::negotiate, std::move(*tickets));
}

}  // namespace

GssCredential::~GssCredential() {
  OM_uint32 minor = 0;
  if (handle_ != GSS_C_NO_CREDENTIAL) gss_release_cred(&minor, &handle_);
}

Result<std::shared_ptr<GssCredential>> acquire_credential(const GssCredentials& credentials,
                                                          GssMechanism mechanism,
                                                          const NegotiateMechanisms& allowed) {
  if (const auto* password = std::get_if<PasswordCredentials>(&credentials)) {
    if (mechanism == GssMechanism::negotiate && allowed.kerberos)
      return acquire_ticket_with_password(*password);
    return acquire_with_password(*password, mechanism, allowed);
  }
  return acquire_ticket(std::get<KerberosCredentials>(credentials), mechanism);
}

GssContext::GssContext(std::shared_ptr<GssCredential> credential, GssMechanism mechanism, std::string host,
                       std::string_view tls_server_end_point, std::string service)
    : credential_(std::move(credential)),
      mechanism_(mechanism),
      host_(std::move(host)),
      service_(std::move(service)) {
  // RFC 5929 section 4: the unique prefix, a colon, the hash.
  if (!tls_server_end_point.empty()) binding_ = "tls-server-end-point:" + std::string(tls_server_end_point);
}

GssContext::~GssContext() {
  OM_uint32 minor = 0;
  if (context_ != GSS_C_NO_CONTEXT) gss_delete_sec_context(&minor, &context_, GSS_C_NO_BUFFER);
  if (target_ != GSS_C_NO_NAME) gss_release_name(&minor, &target_);
}

Result<std::string> GssContext::step(std::string_view token) {
  OM_uint32 minor = 0;
  OM_uint32 major = GSS_S_COMPLETE;
  if (target_ == GSS_C_NO_NAME) {
    const std::string service = service_ + "@" + host_;
    gss_buffer_desc service_buffer = view_buffer(service);
    major = gss_import_name(&minor, &service_buffer, GSS_C_NT_HOSTBASED_SERVICE, &target_);
    if (GSS_ERROR(major))
      return fail(gss_error(major, minor, oid_of(mechanism_), "The server's name cannot be used"));
  }
  // Windows compares bindings with both addresses unspecified and empty.
  gss_channel_bindings_struct bindings = {};
  bindings.application_data = view_buffer(binding_);
  gss_buffer_desc input = view_buffer(token);
  OutBuffer output;
  OM_uint32 granted = 0;
  OM_uint32 wanted = 0;
  if (mechanism_ != GssMechanism::ntlm) wanted |= GSS_C_MUTUAL_FLAG;
  if (mechanism_ == GssMechanism::kerberos) wanted |= GSS_C_INTEG_FLAG;
  major = gss_init_sec_context(&minor, credential_->get(), &context_, target_, oid_of(mechanism_), wanted,
                               GSS_C_INDEFINITE, binding_.empty() ? GSS_C_NO_CHANNEL_BINDINGS : &bindings,
                               token.empty() ? GSS_C_NO_BUFFER : &input, nullptr, output.get(), &granted,
                               nullptr);
  if (GSS_ERROR(major)) {
    return fail(gss_error(major, minor, oid_of(mechanism_), "The handshake with " + host_ + " failed"));
  }
  complete_ = (major & GSS_S_CONTINUE_NEEDED) == 0;
  mutual_ = complete_ && (granted & GSS_C_MUTUAL_FLAG) != 0;
  return output.text();
}

Result<std::string> GssContext::wrap(std::string_view octets) {
  gss_buffer_desc input = view_buffer(octets);
  OutBuffer output;
  OM_uint32 minor = 0;
  const OM_uint32 major = gss_wrap(&minor, context_, 0, GSS_C_QOP_DEFAULT, &input, nullptr, output.get());
  if (GSS_ERROR(major))
    return fail(gss_error(major, minor, oid_of(mechanism_), "A message for " + host_ + " cannot be sealed"));
  return output.text();
}

Result<std::string> GssContext::unwrap(std::string_view wrapped) {
  gss_buffer_desc input = view_buffer(wrapped);
  OutBuffer output;
  OM_uint32 minor = 0;
  const OM_uint32 major = gss_unwrap(&minor, context_, &input, output.get(), nullptr, nullptr);
  if (GSS_ERROR(major))
    return fail(gss_error(major, minor, oid_of(mechanism_), "A message of " + host_ + " is not authentic"));
  return output.text();
}

}  // namespace syncline::auth
