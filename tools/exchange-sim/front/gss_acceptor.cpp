// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/front/gss_acceptor.hpp"

#include <fmt/format.h>
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <set>

#include "base/text.hpp"

namespace exchange_sim {

namespace text = syncline::text;
using syncline::ErrorDomain;
using syncline::fail;

namespace {

// 1.3.6.1.4.1.311.2.2.10, 1.2.840.113554.1.2.2 and 1.3.6.1.5.5.2.
gss_OID_desc ntlm_mechanism{10, const_cast<char*>("\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a")};
gss_OID_desc krb5_mechanism{9, const_cast<char*>("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02")};
gss_OID_desc spnego_mechanism{6, const_cast<char*>("\x2b\x06\x01\x05\x05\x02")};

std::string words_of(OM_uint32 status, int kind, gss_OID mechanism) {
  std::string out;
  OM_uint32 more = 0;
  do {
    OM_uint32 minor = 0;
    gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
    if (gss_display_status(&minor, status, kind, mechanism, &more, &text) != GSS_S_COMPLETE) break;
    if (!out.empty()) out += "; ";
    out.append(static_cast<const char*>(text.value), text.length);
    gss_release_buffer(&minor, &text);
  } while (more != 0);
  return out;
}

bool is_ntlm_message(std::string_view token) {
  return token.size() > 8 && token.substr(0, 8) == std::string_view("NTLMSSP\0", 8);
}

/// NEGOTIATE message flag 0x1 and so on do not matter here; the type says whether a handshake starts.
bool starts_handshake(std::string_view token) {
  return is_ntlm_message(token) && token.size() >= 12 && token[8] == 1;
}

std::uint32_t number_at(std::string_view octets, std::size_t at) {
  std::uint32_t out = 0;
  for (std::size_t i = 0; i < 4; ++i)
    out |= std::uint32_t{static_cast<unsigned char>(octets[at + i])} << (8 * i);
  return out;
}

/// MS-NLMP sections 2.2.1.1 and 2.2.1.3: a client may leave the eight octets of Version out of NEGOTIATE and
/// AUTHENTICATE, and curl does. gss-ntlmssp 1.2.0 takes such messages for broken ones, so they are put in, as
/// zeros. Nobody who leaves them out sends a MIC, the only thing that covers them.
std::string with_version_field(std::string_view token) {
  std::string out(token);
  constexpr std::size_t negotiate_octets = 40;
  constexpr std::size_t version_at = 64;  // in AUTHENTICATE; what the six fields before it point to follows
  constexpr std::size_t version_octets = 8;
  if (starts_handshake(token)) {
    if (token.size() < negotiate_octets) out.resize(negotiate_octets);
    return out;
  }
  if (!is_ntlm_message(token) || token.size() < version_at || token[8] != 3) return out;
  bool has_version = true;
  for (std::size_t field = 12; field <= 52; field += 8) {
    const bool used = token[field] != 0 || token[field + 1] != 0;
    if (used && number_at(token, field + 4) < version_at + version_octets) has_version = false;
  }
  if (has_version) return out;
  for (std::size_t field = 12; field <= 52; field += 8) {
    const std::uint32_t offset = number_at(token, field + 4);
    if (offset < version_at || offset > token.size()) continue;
    const auto moved = offset + static_cast<std::uint32_t>(version_octets);
    for (std::size_t i = 0; i < 4; ++i) out[field + 4 + i] = static_cast<char>(moved >> (8 * i));
  }
  out.insert(version_at, version_octets, '\0');
  return out;
}

}  // namespace

Result<std::unique_ptr<NtlmUsers>> NtlmUsers::create(const std::vector<Site>& sites) {
  std::error_code error;
  auto pattern = (std::filesystem::temp_directory_path(error) / "exchange-sim-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    return fail(ErrorDomain::local, "cannot-write", "cannot make a private folder for NTLM passwords");
  }
  std::unique_ptr<NtlmUsers> out(new NtlmUsers(pattern));
  const auto path = pattern + "/users";
  // mkdtemp made the folder 0700; the file is made in it by us alone.
  const auto old_mask = ::umask(0077);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "wxe"), &std::fclose);
  ::umask(old_mask);
  if (!file) return fail(ErrorDomain::local, "cannot-write", "cannot write " + path);
  std::set<std::string> lines;
  for (const auto& site : sites) {
    for (const auto& user : site.users) {
      const auto password = user.password.reveal();
      // The file has a colon between its fields and no way to write one.
      if (password.empty() || password.find_first_of(":\n") != password.npos) continue;
      const auto domain = user.address.substr(user.address.find('@') + 1);
      // gss-ntlmssp takes the first line whose domain fits in any case, and hashes the domain as the line has
      // it: a client that says EXAMPLE.TEST for example.test has another hash. One spelling only, then.
      for (const auto& [in_domain, name] : std::array<std::pair<std::string, std::string>, 3>{
               {{site.netbios_domain, user.logon_name}, {domain, user.logon_name}, {domain, user.address}}}) {
        if (in_domain.empty() || name.find(':') != name.npos) continue;
        lines.insert(fmt::format("{}:{}:{}\n", in_domain, name, password));
      }
    }
  }
  for (const auto& line : lines) std::fwrite(line.data(), 1, line.size(), file.get());
  if (std::fflush(file.get()) != 0) return fail(ErrorDomain::local, "cannot-write", "cannot write " + path);
  ::setenv("NTLM_USER_FILE", path.c_str(), 1);
  return out;
}

NtlmUsers::~NtlmUsers() {
  const char* named = ::getenv("NTLM_USER_FILE");
  if (named != nullptr && named == folder_ + "/users") ::unsetenv("NTLM_USER_FILE");
  std::error_code error;
  std::filesystem::remove_all(folder_, error);
}

struct GssAcceptor::State {
  Scheme scheme;
  const Site& site;
  std::string certificate_hash;
  gss_ctx_id_t context = GSS_C_NO_CONTEXT;
  gss_cred_id_t credential = GSS_C_NO_CREDENTIAL;

  ~State() { forget(); }

  void forget() {
    OM_uint32 minor = 0;
    gss_delete_sec_context(&minor, &context, GSS_C_NO_BUFFER);
    gss_release_cred(&minor, &credential);
  }

  Result<void> acquire(bool ntlm_only) {
    if (credential != GSS_C_NO_CREDENTIAL) return {};
    std::array<gss_OID_desc, 2> wanted{};
    gss_OID_set_desc mechanisms{0, wanted.data()};
    const bool with_krb5 = !ntlm_only && scheme == Scheme::negotiate && !site.keytab_file.empty();
    // SPNEGO without Kerberos: the library's own choice, which is NTLM. (In a credential made for SPNEGO that
    // of gss-ntlmssp 1.2.0 is not a server's.)
    if (!with_krb5 && !ntlm_only) return {};
    // SPNEGO has a credential of its own, made of those of the mechanisms it may agree on; a client may also
    // send Kerberos without it.
    if (with_krb5) wanted[mechanisms.count++] = spnego_mechanism;
    if (with_krb5) wanted[mechanisms.count++] = krb5_mechanism;
    if (!with_krb5) wanted[mechanisms.count++] = ntlm_mechanism;
    gss_key_value_element_desc element{"keytab", site.keytab_file.c_str()};
    gss_key_value_set_desc store{1, &element};
    OM_uint32 minor = 0;
    const OM_uint32 major =
        gss_acquire_cred_from(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &mechanisms, GSS_C_ACCEPT,
                              with_krb5 ? &store : nullptr, &credential, nullptr, nullptr);
    if (GSS_ERROR(major)) {
      return fail(ErrorDomain::auth, "refused",
                  fmt::format("no acceptor credential: {}, {}", words_of(major, GSS_C_GSS_CODE, GSS_C_NO_OID),
                              words_of(minor, GSS_C_MECH_CODE, &wanted[0])));
    }
    return {};
  }
};

GssAcceptor::GssAcceptor(Scheme scheme, const Site& site, std::string certificate_hash)
    : state_(new State{scheme, site, std::move(certificate_hash)}) {}
GssAcceptor::~GssAcceptor() = default;

Result<GssAcceptor::Step> GssAcceptor::accept(std::string_view token) {
  if (starts_handshake(token)) state_->forget();
  const bool ntlm_only = state_->scheme == Scheme::ntlm || is_ntlm_message(token);
  if (auto acquired = state_->acquire(ntlm_only); !acquired) return fail(std::move(acquired.error()));

  // Channel binding, RFC 5929 section 4.1: "tls-server-end-point:" and the certificate's hash.
  std::string binding = "tls-server-end-point:" + state_->certificate_hash;
  gss_channel_bindings_struct bindings{};
  bindings.application_data.length = binding.size();
  bindings.application_data.value = binding.data();
  const bool bound =
      !state_->certificate_hash.empty() && state_->site.channel_binding != ChannelBinding::none;

  const std::string complete = with_version_field(token);
  token = complete;

  gss_buffer_desc input{token.size(), const_cast<char*>(token.data())};
  gss_buffer_desc output = GSS_C_EMPTY_BUFFER;
  gss_name_t peer = GSS_C_NO_NAME;
  OM_uint32 minor = 0;
  OM_uint32 flags = 0;
  gss_OID mechanism = GSS_C_NO_OID;
  const OM_uint32 major = gss_accept_sec_context(&minor, &state_->context, state_->credential, &input,
                                                 bound ? &bindings : GSS_C_NO_CHANNEL_BINDINGS, &peer,
                                                 &mechanism, &output, &flags, nullptr, nullptr);
  const OM_uint32 accept_minor = minor;
  Step step;
  if (output.value != nullptr) step.token.assign(static_cast<const char*>(output.value), output.length);
  gss_release_buffer(&minor, &output);
  if (GSS_ERROR(major)) {
    state_->forget();
    return fail(ErrorDomain::auth, "refused",
                fmt::format("{}, {}", words_of(major, GSS_C_GSS_CODE, GSS_C_NO_OID),
                            words_of(accept_minor, GSS_C_MECH_CODE, mechanism)));
  }
  if ((major & GSS_S_CONTINUE_NEEDED) != 0) {
    gss_release_name(&minor, &peer);
    return step;
  }
  gss_buffer_desc name = GSS_C_EMPTY_BUFFER;
  if (peer != GSS_C_NO_NAME && gss_display_name(&minor, peer, &name, nullptr) == GSS_S_COMPLETE) {
    step.peer.assign(static_cast<const char*>(name.value), name.length);
    // gss-ntlmssp counts the terminating NUL of names that came in the OEM character set.
    while (!step.peer.empty() && step.peer.back() == '\0') step.peer.pop_back();
  }
  gss_release_buffer(&minor, &name);
  gss_release_name(&minor, &peer);
  if (bound && state_->site.channel_binding == ChannelBinding::require &&
      (flags & GSS_C_CHANNEL_BOUND_FLAG) == 0) {
    state_->forget();
    return fail(ErrorDomain::auth, "refused", "the client sent no channel binding");
  }
  step.complete = true;
  return step;
}

}  // namespace exchange_sim
