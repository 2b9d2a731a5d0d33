// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/front/oauth.hpp"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <memory>

#include "base/base64.hpp"
#include "base/text.hpp"

namespace exchange_sim {

namespace json = boost::json;
namespace text = syncline::text;

namespace {

constexpr std::string_view exchange_resource = "https://outlook.office365.com";
constexpr std::string_view jwt_bearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

std::int64_t seconds(syncline::SystemTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

bool same_octets(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string from_base64url(std::string_view input) {
  std::string plain(input);
  std::replace(plain.begin(), plain.end(), '-', '+');
  std::replace(plain.begin(), plain.end(), '_', '/');
  while (plain.size() % 4 != 0) plain += '=';
  return syncline::base64_decode(plain).value_or(std::string());
}

std::optional<json::object> json_object(std::string_view encoded) {
  boost::system::error_code error;
  auto value = json::parse(from_base64url(encoded), error);
  if (error || !value.is_object()) return std::nullopt;
  return value.as_object();
}

std::string string_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

std::optional<std::int64_t> number_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  boost::system::error_code error;
  const auto number = value->to_number<std::int64_t>(error);
  return error ? std::nullopt : std::optional(number);
}

struct FreeOpenSsl {
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};
using CertificatePtr = std::unique_ptr<X509, FreeOpenSsl>;

CertificatePtr read_certificate(const std::string& pem) {
  const std::unique_ptr<BIO, FreeOpenSsl> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return CertificatePtr(bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr);
}

std::string thumbprint(const X509* certificate, const EVP_MD* digest) {
  unsigned char octets[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (X509_digest(certificate, digest, octets, &size) != 1) return {};
  return syncline::base64url_encode(std::string_view(reinterpret_cast<const char*>(octets), size));
}

bool is_signed_by(const X509* certificate, std::string_view algorithm, std::string_view input,
                  std::string_view signature) {
  EVP_PKEY* key = X509_get0_pubkey(certificate);
  if (key == nullptr || EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA) return false;
  const std::unique_ptr<EVP_MD_CTX, FreeOpenSsl> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;
  if (!context || EVP_DigestVerifyInit(context.get(), &key_context, EVP_sha256(), nullptr, key) != 1)
    return false;
  if (algorithm == "PS256" && (EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) != 1 ||
                               EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, RSA_PSS_SALTLEN_DIGEST) != 1)) {
    return false;
  }
  return EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                          signature.size(), reinterpret_cast<const unsigned char*>(input.data()),
                          input.size()) == 1;
}

TokenVerdict invalid_token(int number, std::string_view reason) {
  return {std::nullopt, "invalid_token",
          fmt::format("{};reason=\"{}\";error_category=\"invalid_token\"", number, reason)};
}

}  // namespace

std::string percent_decode(std::string_view encoded, bool plus_is_space) {
  const auto digit = [](char letter) {
    if (letter >= '0' && letter <= '9') return letter - '0';
    if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
    if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
    return -1;
  };
  std::string out;
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    if (encoded[i] == '%' && i + 2 < encoded.size() && digit(encoded[i + 1]) >= 0 &&
        digit(encoded[i + 2]) >= 0) {
      out += static_cast<char>(digit(encoded[i + 1]) * 16 + digit(encoded[i + 2]));
      i += 2;
    } else if (encoded[i] == '+' && plus_is_space) {
      out += ' ';
    } else {
      out += encoded[i];
    }
  }
  return out;
}

std::map<std::string, std::string, std::less<>> parse_form(std::string_view form) {
  std::map<std::string, std::string, std::less<>> out;
  for (const auto pair : text::split(text::trim(form), '&')) {
    const auto equals = pair.find('=');
    if (pair.empty()) continue;
    out[percent_decode(pair.substr(0, equals), true)] =
        equals == pair.npos ? std::string() : percent_decode(pair.substr(equals + 1), true);
  }
  return out;
}

TokenServer::TokenServer(const Site& site, const syncline::Clock& clock, syncline::Random& random)
    : site_(site), clock_(clock), random_(random) {
  key_.resize(32);
  random_.fill(std::as_writable_bytes(std::span(key_)));
  for (const auto& token : site_.oauth.refresh_tokens) {
    refresh_tokens_[std::string(token.token.reveal())] = {
        token.client_id, text::to_lower_ascii(token.address), clock_.now() + site_.oauth.refresh_token_life,
        false};
  }
}

const Application* TokenServer::find(std::string_view client_id) const {
  for (const auto& application : site_.oauth.applications) {
    if (application.client_id == client_id) return &application;
  }
  return nullptr;
}

std::string TokenServer::random_token() {
  std::string octets(32, '\0');
  random_.fill(std::as_writable_bytes(std::span(octets)));
  return syncline::base64url_encode(octets);
}

std::string TokenServer::sign(std::string_view signing_input) const {
  unsigned char octets[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
       reinterpret_cast<const unsigned char*>(signing_input.data()), signing_input.size(), octets, &size);
  return syncline::base64url_encode(std::string_view(reinterpret_cast<const char*>(octets), size));
}

std::string TokenServer::issue(std::string_view client_id, std::string_view address) {
  const auto* application = find(client_id);
  if (application == nullptr) return {};
  const auto now = seconds(clock_.now());
  json::object claims{{"aud", exchange_resource},
                      {"iss", fmt::format("https://sts.windows.net/{}/", site_.oauth.tenant)},
                      {"iat", now},
                      {"nbf", now},
                      {"exp", now + site_.oauth.access_token_life.count()},
                      {"appid", application->client_id},
                      {"tid", site_.oauth.tenant},
                      {"uti", random_token()},
                      {"generation", generation_},
                      {"ver", "1.0"}};
  if (address.empty()) {
    claims["roles"] = application->full_access_as_app ? json::array{"full_access_as_app"} : json::array{};
  } else {
    claims["scp"] = "EWS.AccessAsUser.All";
    claims["upn"] = text::to_lower_ascii(address);
  }
  const auto input = syncline::base64url_encode(R"({"typ":"JWT","alg":"HS256"})") + "." +
                     syncline::base64url_encode(json::serialize(claims));
  return input + "." + sign(input);
}

TokenVerdict TokenServer::check(std::string_view access_token) const {
  const auto parts = text::split(access_token, '.');
  if (parts.size() != 3)
    return invalid_token(2000001, "OAuth token submitted with the request can not be parsed.");
  const auto claims = json_object(parts[1]);
  if (!claims) return invalid_token(2000001, "OAuth token submitted with the request can not be parsed.");
  const auto input = access_token.substr(0, parts[0].size() + 1 + parts[1].size());
  if (!same_octets(sign(input), parts[2])) {
    return invalid_token(2000010, "The signature of the token is not valid.");
  }
  const auto expires = number_of(*claims, "exp");
  if (!expires || *expires <= seconds(clock_.now())) {
    return invalid_token(2000008, "The token has expired.");
  }
  const auto generation = number_of(*claims, "generation");
  if (!generation || static_cast<std::uint64_t>(*generation) != generation_) {
    return invalid_token(2000009, "The token was revoked.");
  }
  TokenClaims out{string_of(*claims, "appid"), string_of(*claims, "upn")};
  if (out.app_only()) {
    const auto* roles = claims->if_contains("roles");
    if (roles == nullptr || !roles->is_array() || roles->as_array().empty()) {
      return invalid_token(2000012, "The token has no role for this resource.");
    }
  }
  return {std::move(out), {}, {}};
}

TokenReply TokenServer::refuse(int status, std::string error, int code, std::string why) const {
  const json::object body{{"error", error},
                          {"error_description", fmt::format("AADSTS{}: {}", code, why)},
                          {"error_codes", json::array{code}}};
  TokenReply reply;
  reply.status = status;
  reply.json = json::serialize(body);
  reply.error = std::move(error);
  return reply;
}

TokenReply TokenServer::grant(const Application& application, const std::string& address,
                              std::string refresh_token) {
  json::object body{{"token_type", "Bearer"},
                    {"expires_in", site_.oauth.access_token_life.count()},
                    {"ext_expires_in", site_.oauth.access_token_life.count()},
                    {"access_token", issue(application.client_id, address)}};
  if (!refresh_token.empty()) {
    body["refresh_token"] = refresh_token;
    body["scope"] = "https://outlook.office365.com/EWS.AccessAsUser.All";
  }
  TokenReply reply;
  reply.status = 200;
  reply.json = json::serialize(body);
  return reply;
}

std::string TokenServer::fault_of_assertion(const Application& application, std::string_view assertion,
                                            const std::vector<std::string>& audiences) {
  const auto certificate = read_certificate(application.certificate_pem);
  if (!certificate) return "The application has no certificate.";
  const auto parts = text::split(assertion, '.');
  if (parts.size() != 3) return "The assertion is no JWT.";
  const auto header = json_object(parts[0]);
  const auto claims = json_object(parts[1]);
  if (!header || !claims) return "The assertion is no JWT.";
  const auto algorithm = string_of(*header, "alg");
  if (algorithm != "RS256" && algorithm != "PS256") return "The algorithm is neither RS256 nor PS256.";
  const auto sha1 = string_of(*header, "x5t");
  const auto sha256 = string_of(*header, "x5t#S256");
  if (sha1.empty() && sha256.empty()) return "The header has neither x5t nor x5t#S256.";
  if ((!sha1.empty() && sha1 != thumbprint(certificate.get(), EVP_sha1())) ||
      (!sha256.empty() && sha256 != thumbprint(certificate.get(), EVP_sha256()))) {
    return "The certificate with that thumbprint is not registered.";
  }
  const auto input = assertion.substr(0, parts[0].size() + 1 + parts[1].size());
  if (!is_signed_by(certificate.get(), algorithm, input, from_base64url(parts[2]))) {
    return "The signature of the assertion is not valid.";
  }
  if (string_of(*claims, "iss") != application.client_id ||
      string_of(*claims, "sub") != application.client_id) {
    return "Issuer and subject must both be the client_id.";
  }
  if (std::find(audiences.begin(), audiences.end(), string_of(*claims, "aud")) == audiences.end()) {
    return "The audience is not this token endpoint.";
  }
  const auto now = seconds(clock_.now());
  constexpr std::int64_t skew = 300;
  const auto expires = number_of(*claims, "exp");
  if (!expires || *expires + skew < now) return "The assertion has expired.";
  if (*expires > now + 24 * 3600 + skew) return "The assertion is valid for more than a day.";
  const auto not_before = number_of(*claims, "nbf");
  if (not_before && *not_before > now + skew) return "The assertion is not valid yet.";
  const auto id = string_of(*claims, "jti");
  if (id.empty()) return "The assertion has no jti.";
  if (!seen_assertions_.insert(application.client_id + " " + id).second)
    return "The assertion was used before.";
  return {};
}

TokenReply TokenServer::answer(std::string_view form_text, std::string_view authorization,
                               const std::vector<std::string>& audiences) {
  const auto form = parse_form(form_text);
  const auto field = [&](std::string_view name) {
    const auto found = form.find(name);
    return found == form.end() ? std::string() : found->second;
  };
  const auto grant_type = field("grant_type");
  std::string client_id = field("client_id");
  std::string secret = field("client_secret");
  if (text::to_lower_ascii(authorization.substr(0, 6)) == "basic ") {
    // RFC 6749 section 2.3.1: both parts are form-encoded before base64.
    const auto plain = syncline::base64_decode(text::trim(authorization.substr(6))).value_or(std::string());
    const auto colon = plain.find(':');
    client_id = percent_decode(plain.substr(0, colon), true);
    if (colon != plain.npos) secret = percent_decode(plain.substr(colon + 1), true);
  }
  const auto finished = [&](TokenReply reply) {
    reply.grant = grant_type;
    reply.client_id = client_id;
    return reply;
  };

  if (grant_type != "client_credentials" && grant_type != "refresh_token") {
    return finished(refuse(400, "unsupported_grant_type", 70003, "The grant type is not supported."));
  }
  const auto* application = find(client_id);
  if (application == nullptr) {
    return finished(
        refuse(400, "unauthorized_client", 700016, "The application was not found in the directory."));
  }
  const auto assertion = field("client_assertion");
  const bool is_public = application->secret.empty() && application->certificate_pem.empty();
  if (!assertion.empty()) {
    if (field("client_assertion_type") != jwt_bearer) {
      return finished(refuse(401, "invalid_client", 50027, "The client_assertion_type is not jwt-bearer."));
    }
    const auto fault = fault_of_assertion(*application, assertion, audiences);
    if (!fault.empty()) return finished(refuse(401, "invalid_client", 700027, fault));
  } else if (!secret.empty()) {
    if (application->secret.empty() || !same_octets(application->secret.reveal(), secret)) {
      return finished(refuse(401, "invalid_client", 7000215, "Invalid client secret provided."));
    }
  } else if (!is_public || grant_type == "client_credentials") {
    return finished(refuse(401, "invalid_client", 7000218,
                           "The request body must contain client_assertion or client_secret."));
  }

  if (grant_type == "client_credentials") {
    const auto scope = field("scope");
    if (scope != "https://outlook.office365.com/.default" && scope != "https://outlook.office.com/.default") {
      return finished(refuse(400, "invalid_scope", 70011, "The scope must be the resource's /.default."));
    }
    return finished(grant(*application, {}, {}));
  }

  const auto found = refresh_tokens_.find(field("refresh_token"));
  if (found == refresh_tokens_.end() || found->second.client_id != client_id) {
    return finished(refuse(400, "invalid_grant", 9002313, "The refresh token is malformed or not known."));
  }
  if (found->second.expires <= clock_.now()) {
    return finished(refuse(400, "invalid_grant", 700082, "The refresh token has expired due to inactivity."));
  }
  if (found->second.used) {
    return finished(refuse(400, "invalid_grant", 70000, "The refresh token was already redeemed."));
  }
  const auto address = found->second.address;
  if (site_.oauth.rotation == RefreshRotation::same) {
    return finished(grant(*application, address, found->first));
  }
  if (site_.oauth.rotation == RefreshRotation::revoke) found->second.used = true;
  const auto next = random_token();
  refresh_tokens_[next] = {client_id, address, clock_.now() + site_.oauth.refresh_token_life, false};
  return finished(grant(*application, address, next));
}

void TokenServer::revoke_all() {
  ++generation_;
  refresh_tokens_.clear();
}

}  // namespace exchange_sim
