// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/organisation/mailbox_token.hpp"

#include "service/organisation/organisation.hpp"

namespace syncline::service {
namespace {

Result<std::optional<Secret>> profile_secret(Organisation& organisation, const model::Profile& profile,
                                             std::string field) {
  return organisation.secrets().get(
      secret_key({.account = {.kind = "profile", .name = profile.name}, .field = std::move(field)}));
}

}  // namespace

std::string sign_in_key(const std::string& address) {
  return secret_key({.account = {.kind = "mailbox", .name = address}, .field = "token"});
}

Result<auth::ClientProof> client_proof(Organisation& organisation, const model::Profile& profile) {
  auto certificate = profile_secret(organisation, profile, "certificate");
  if (!certificate) return fail(std::move(certificate).error());
  if (*certificate) {
    // One PEM file holds both, as openssl writes them.
    auto loaded = auth::ClientCertificate::load((*certificate)->reveal(), **certificate);
    if (!loaded) return fail(std::move(loaded).error());
    return auth::ClientProof(std::move(*loaded));
  }
  auto secret = profile_secret(organisation, profile, "client-secret");
  if (!secret) return fail(std::move(secret).error());
  if (*secret) return auth::ClientProof(std::move(**secret));
  return auth::ClientProof();
}

Result<std::optional<auth::ServiceAccount>> service_account_of(Organisation& organisation,
                                                               const model::Profile& profile) {
  auto kept = profile_secret(organisation, profile, "service-account");
  if (!kept) return fail(std::move(kept).error());
  if (!*kept) return std::optional<auth::ServiceAccount>();
  auto account = auth::ServiceAccount::parse(**kept);
  if (!account) return fail(std::move(account).error());
  if (profile.oauth.token_endpoint) {
    auto url = net::parse_url(*profile.oauth.token_endpoint);
    if (!url) return fail(std::move(url).error().during("reading profile " + profile.name));
    account->use_token_url(std::move(*url));
  }
  return std::optional<auth::ServiceAccount>(std::move(*account));
}

Result<std::shared_ptr<auth::TokenSource>> mailbox_token(Organisation& organisation,
                                                         auth::TokenEnvironment environment,
                                                         const model::Profile& profile,
                                                         const std::string& address) {
  auto account = service_account_of(organisation, profile);
  if (!account) return fail(std::move(account).error());
  if (*account) {
    return auth::make_service_account(std::move(environment), std::move(**account),
                                      profile.oauth.scope.value_or("https://mail.google.com/"), address);
  }
  auto endpoints = oauth_endpoints(profile);
  if (!endpoints) return fail(std::move(endpoints).error());
  auto proof = client_proof(organisation, profile);
  if (!proof) return fail(std::move(proof).error());
  endpoints->token.proof = std::move(*proof);
  return auth::make_refresh_grant(std::move(environment), std::move(endpoints->token), organisation.secrets(),
                                  sign_in_key(address));
}

}  // namespace syncline::service
