// People paste error texts: what stands for an operator in the search's own language is a plain character there.
{
  const post = Worker.prototype.postMessage
  Worker.prototype.postMessage = function (message, ...rest) {
    if (message && typeof message.data === "string")
      message = {...message, data: message.data.replace(/[-+:^~*]+/g, " ")}
    return post.call(this, message, ...rest)
  }
}
