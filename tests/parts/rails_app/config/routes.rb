# frozen_string_literal: true

Rails.application.routes.draw do
  devise_for :users
  root to: "pages#home"
  get "/whoami", to: "pages#whoami"
  get "/members", to: "pages#members"
  get "/cart", to: "pages#cart"
  post "/notes", to: "pages#note"
  get "/feed", to: "pages#feed"
  post "/pair", to: "pages#pair"
  get "/broken", to: "pages#broken"
  get "/up", to: "pages#up"
  # Where clients with tokens of their own come; nobody has issued any yet.
  get "/api/whoami", to: "pages#whoami"
end
