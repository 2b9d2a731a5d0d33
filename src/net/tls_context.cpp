// SPDX-License-Identifier: GPL-3.0-or-later
#include "net/tls_context.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <new>

namespace syncline::net {
namespace {

struct FreeBio {
  void operator()(BIO* bio) const noexcept { BIO_free_all(bio); }
};
struct FreeX509 {
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
using BioPtr = std::unique_ptr<BIO, FreeBio>;

BioPtr read_only_bio(std::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

int no_pass_phrase(char*, int, int, void*) {
  return 0;
}

}  // namespace

OpenSslContext::OpenSslContext(const SSL_METHOD* method) : context_(SSL_CTX_new(method)) {
  if (context_ == nullptr) throw std::bad_alloc();
  // RFC 8996: nothing below 1.2 is spoken. Compression and renegotiation are off (CRIME, CVE-2009-3555).
  SSL_CTX_set_min_proto_version(get(), TLS1_2_VERSION);
  SSL_CTX_set_options(get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
}

std::string take_openssl_error() {
  const unsigned long code = ERR_get_error();
  std::string text = "unknown reason";
  if (code != 0) {
    if (const char* reason = ERR_reason_error_string(code)) text = reason;
  }
  ERR_clear_error();
  return text;
}

Result<TlsContextPtr> make_tls_client_context(const TlsPolicy& policy) {
  ERR_clear_error();
  auto context = std::make_shared<OpenSslContext>(TLS_client_method());
  if (policy.tls13_only) SSL_CTX_set_min_proto_version(context->get(), TLS1_3_VERSION);
  SSL_CTX_set_verify(context->get(), SSL_VERIFY_PEER, nullptr);
  const int loaded = policy.ca_file.empty()
                         ? SSL_CTX_set_default_verify_paths(context->get())
                         : SSL_CTX_load_verify_locations(context->get(), policy.ca_file.c_str(), nullptr);
  if (loaded != 1) {
    return fail(ErrorDomain::tls, "bad-ca-file",
                "cannot read CA certificates from \"" + policy.ca_file + "\": " + take_openssl_error());
  }
  return TlsContextPtr(std::move(context));
}

Result<TlsContextPtr> make_tls_server_context(const TlsServerIdentity& identity) {
  ERR_clear_error();
  const auto refuse = [](std::string what) {
    return fail(ErrorDomain::tls, "bad-identity", std::move(what) + ": " + take_openssl_error());
  };
  auto context = std::make_shared<OpenSslContext>(TLS_server_method());

  const BioPtr chain = read_only_bio(identity.certificate_chain_pem);
  const std::unique_ptr<X509, FreeX509> leaf(
      chain ? PEM_read_bio_X509(chain.get(), nullptr, no_pass_phrase, nullptr) : nullptr);
  if (leaf == nullptr || SSL_CTX_use_certificate(context->get(), leaf.get()) != 1) {
    return refuse("the server's certificate cannot be read");
  }
  while (X509* next = PEM_read_bio_X509(chain.get(), nullptr, no_pass_phrase, nullptr)) {
    if (SSL_CTX_add0_chain_cert(context->get(), next) != 1) {
      X509_free(next);
      return refuse("the server's certificate chain cannot be used");
    }
  }
  ERR_clear_error();  // the end of the chain is an "error" too

  const BioPtr key_text = read_only_bio(identity.private_key_pem.reveal());
  const std::unique_ptr<EVP_PKEY, FreeKey> key(
      key_text ? PEM_read_bio_PrivateKey(key_text.get(), nullptr, no_pass_phrase, nullptr) : nullptr);
  if (key == nullptr || SSL_CTX_use_PrivateKey(context->get(), key.get()) != 1) {
    return refuse("the server's private key cannot be used");
  }
  if (SSL_CTX_check_private_key(context->get()) != 1)
    return refuse("the private key is not the certificate's");
  static constexpr unsigned char session_context[] = "syncline";
  SSL_CTX_set_session_id_context(context->get(), session_context, sizeof session_context - 1);
  return TlsContextPtr(std::move(context));
}

}  // namespace syncline::net
