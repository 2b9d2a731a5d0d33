// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The server's side of SCRAM (RFC 5802, RFC 7677) on OpenSSL, written for tests from the standard and apart
// from the library that the client uses.
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <string>
#include <string_view>

#include "base/base64.hpp"

namespace syncline::testing {

class ScramServer {
 public:
  ScramServer(const EVP_MD* digest, std::string password, std::string salt, int rounds)
      : digest_(digest), salt_(std::move(salt)), rounds_(rounds) {
    unsigned char salted[EVP_MAX_MD_SIZE];
    PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                      reinterpret_cast<const unsigned char*>(salt_.data()), static_cast<int>(salt_.size()),
                      rounds, digest, EVP_MD_get_size(digest), salted);
    const std::string key(reinterpret_cast<const char*>(salted),
                          static_cast<std::size_t>(EVP_MD_get_size(digest)));
    stored_key_ = hash(hmac(key, "Client Key"));
    server_key_ = hmac(key, "Server Key");
  }

  /// Takes client-first-message; gives server-first-message.
  std::string first(std::string_view client_first) {
    // gs2-header = flag "," [authzid] ","
    const auto comma = client_first.find(',');
    const auto bare = client_first.find(',', comma + 1) + 1;
    gs2_header = client_first.substr(0, bare);
    client_first_bare_ = client_first.substr(bare);
    user = value_of(client_first_bare_, 'n');
    client_nonce = value_of(client_first_bare_, 'r');
    nonce_ = client_nonce + server_nonce;
    server_first_ = "r=" + nonce_ + ",s=" + base64_encode(salt_) + ",i=" + std::to_string(rounds_);
    return server_first_;
  }

  /// Takes client-final-message; gives server-final-message, "e=…" where the standard says so.
  std::string last(std::string_view client_final) {
    const auto proof_at = client_final.rfind(",p=");
    if (proof_at == std::string_view::npos) return "e=other-error";
    const std::string without_proof(client_final.substr(0, proof_at));
    const std::string proof = base64_decode(client_final.substr(proof_at + 3)).value();
    if (base64_decode(value_of(without_proof, 'c')).value() != gs2_header + binding)
      return "e=channel-bindings-dont-match";
    if (value_of(without_proof, 'r') != nonce_) return "e=other-error";
    const std::string message = client_first_bare_ + "," + server_first_ + "," + without_proof;
    const std::string signature = hmac(stored_key_, message);
    std::string client_key = proof;
    if (proof.size() != signature.size()) return "e=invalid-proof";
    for (std::size_t i = 0; i < proof.size(); ++i) client_key[i] = static_cast<char>(proof[i] ^ signature[i]);
    if (hash(client_key) != stored_key_) return "e=invalid-proof";
    accepted = true;
    return "v=" + base64_encode(hmac(server_key_, message));
  }

  std::string server_nonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
  std::string binding;  ///< octets that the client must prove to know; empty: none
  std::string gs2_header;
  std::string user;
  std::string client_nonce;
  bool accepted = false;

 private:
  static std::string value_of(std::string_view message, char name) {
    std::size_t at = 0;
    while (at < message.size()) {
      const auto end = std::min(message.find(',', at), message.size());
      if (end - at >= 2 && message[at] == name && message[at + 1] == '=')
        return std::string(message.substr(at + 2, end - at - 2));
      at = end + 1;
    }
    return {};
  }
  std::string hmac(std::string_view key, std::string_view text) const {
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    HMAC(digest_, key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), out, &size);
    return std::string(reinterpret_cast<const char*>(out), size);
  }
  std::string hash(std::string_view text) const {
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), out, &size, digest_, nullptr);
    return std::string(reinterpret_cast<const char*>(out), size);
  }

  const EVP_MD* digest_;
  std::string salt_;
  int rounds_;
  std::string stored_key_;
  std::string server_key_;
  std::string client_first_bare_;
  std::string server_first_;
  std::string nonce_;
};

}  // namespace syncline::testing
